// Straight lines across a picture, as of ruled paper: `dlproj.data.pictures.rulings`.

import { count, masked, shorterSide, transposed } from "./grid.js";
import { roundHalfEven } from "./numbers.js";
import { opened } from "./masks.js";

const SLOPES = Float64Array.from({ length: 57 }, (_, index) => -0.14 + index * 0.005); // 8° to both sides
const SAME_SLOPE = 0.011;
const THICKEST = 0.018; // of the picture's shorter side
const LONG = 0.75; // of the picture: what is as long as that is no stroke
const SEVERAL = 0.5; // of the picture: two lines as long as that are none
const PARALLEL = 0.3; // of the picture: nor is what is as long as that, and runs like those

/** The pixels of long straight lines, but for those where a stroke crosses them; null if there are none. */
export function rulings(mask) {
  const thick = Math.max(3, roundHalfEven(THICKEST * shorterSide(mask)));
  const strokes = opened(mask, thick + 1, thick + 1).values;
  const thin = masked(mask, (value, place) => value & ~strokes[place]);
  if (count(thin) < SEVERAL * shorterSide(mask)) return null;
  const lying = band(thin, thick, SEVERAL);
  const standing = band(transposed(thin), thick, lying ? SEVERAL : LONG);
  if (!lying && !standing) return null;
  const reach = thick + 3;
  const none = masked(mask, () => 0);
  const [across, down] = [(lying ?? none).values, (standing ? transposed(standing) : none).values];
  const crossed = opened(mask, reach, 1).values;
  const passed = opened(mask, 1, reach).values;
  const square = opened(mask, reach, reach).values;
  return masked(mask, (_, place) => (across[place] & ~crossed[place]) | (down[place] & ~passed[place]) | (across[place] & down[place] & ~square[place]));
}

/** What is on or beside lines that lie; null if there are none. */
function band(thin, thick, several) {
  const lines = linesOf(thin, thick, several);
  if (!lines.length) return null;
  const { width, height } = thin;
  const result = masked(thin, () => 0);
  for (const { slope, start } of lines)
    for (let column = 0; column < width; column++) {
      const line = roundHalfEven(start + slope * (column - width / 2));
      for (let row = line + Math.floor(-thick / 2); row <= line + (thick >> 1); row++)
        if (row >= 0 && row < height) result.values[row * width + column] = 1;
    }
  return result;
}

/** How many pixels lie on each line of each slope; `size` places for a slope. */
function houghOf({ values, width, height }, margin) {
  const size = height + 2 * margin;
  const counts = new Int32Array(SLOPES.length * size);
  for (let place = 0; place < values.length; place++) {
    if (!values[place]) continue;
    const column = place % width;
    const row = (place - column) / width;
    SLOPES.forEach((slope, index) => counts[index * size + roundHalfEven(row - slope * (column - width / 2) + margin)]++);
  }
  return { counts, size };
}

/** Slope, and row half-way across, of each line: the peaks of a Hough transform. */
function linesOf(thin, thick, several) {
  const { width } = thin;
  const margin = Math.trunc((SLOPES.at(-1) * width) / 2) + 1;
  const { counts, size } = houghOf(thin, margin);
  const peak = () => counts.reduce((best, value, place) => (value > counts[best] ? place : best), 0);
  const lines = [];
  let least = several * width;
  for (let best = peak(); counts[best] >= least; best = peak()) {
    const [start, length] = [best % size, counts[best]];
    const slope = SLOPES[Math.floor(best / size)];
    lines.push({ slope, start: start - margin });
    SLOPES.forEach((_, index) => counts.fill(0, index * size + Math.max(0, start - thick), index * size + Math.min(size, start + thick + 1)));
    if (lines.length === 1 && length < LONG * width && counts[peak()] < least) return [];
    if (lines.length === 2) {
      least = PARALLEL * width;
      SLOPES.forEach((other, index) => {
        if (Math.abs(other - slope) > SAME_SLOPE) counts.fill(0, index * size, (index + 1) * size);
      });
    }
  }
  return lines;
}
