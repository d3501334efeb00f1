// A digit's ink made to look like MNIST's: `dlproj.data.pictures.prepare`, scaled to 20x20 pixels,
// its centre of mass in the middle of 28x28 (LeCun et al. 1998, section III.A).

import { SIDE } from "../network.js";
import { distances } from "./distance.js";
import { boxOf, cut, mapped, masked, padded } from "./grid.js";
import { quantile, roundHalfEven } from "./numbers.js";
import { resize } from "./resample.js";
import { dilated } from "./windows.js";

const INK_BOX = 20; // the longer side of a digit
const PAPER = 0.1; // of the darkest ink; fainter is paper
const STROKE = 0.35; // of the darkest ink; fainter does not stretch the box around the digit
const THINNEST = 0.09; // width of a stroke, of the digit's longer side; a thinner pen is made so

const clipped = (value) => Math.min(1, Math.max(0, value));

/** Ink in [0, 1], 1 where it is strongest, as 784 bytes. */
export function mnistImage(grid) {
  const ink = mapped(grid, (value) => clipped((value - PAPER) / (1 - PAPER)));
  const box = boxOf(masked(ink, (value) => Number(value > STROKE)));
  return centred(scaled(thickened(cut(ink, box))));
}

/** With strokes that are as wide as MNIST's thinnest, so that they do not fade when scaled. */
function thickened(ink) {
  const distance = distances(padded(masked(ink, (value) => Number(value > STROKE)), 1));
  const highest = dilated(distance, 3).values;
  const ridge = distance.values.filter((value, place) => value > 0 && value === highest[place]);
  const width = 2 * quantile(ridge, 0.5) - 1;
  const missing = roundHalfEven((THINNEST * Math.max(ink.width, ink.height) - width) / 2);
  return missing > 0 ? grown(padded(ink, missing), missing) : ink;
}

/** The largest value in a disc around each pixel. */
function grown(ink, radius) {
  const result = new Float32Array(ink.values.length);
  for (let down = -radius; down <= radius; down++)
    for (let across = -radius; across <= radius; across++) {
      if (Math.hypot(down, across) > radius + 0.5) continue;
      const { values } = cut(ink, { left: across, top: down, width: ink.width, height: ink.height });
      for (let place = 0; place < values.length; place++) if (values[place] > result[place]) result[place] = values[place];
    }
  return { ...ink, values: result };
}

/** Scaled so that the longer side is 20 pixels. */
function scaled(ink) {
  const ratio = INK_BOX / Math.max(ink.width, ink.height);
  const [width, height] = [ink.width, ink.height].map((side) => Math.max(1, roundHalfEven(side * ratio)));
  return mapped(resize(ink, width, height, ratio < 1), clipped);
}

/** Placed with its centre of mass in the middle of 28x28, as far as it fits. */
function centred({ values, width, height }) {
  const [rows, columns] = [new Float32Array(height), new Float32Array(width)];
  values.forEach((value, place) => {
    rows[Math.floor(place / width)] += value;
    columns[place % width] += value;
  });
  const [top, left] = [start(rows), start(columns)];
  const strength = 255 / Math.max(values.reduce((a, b) => Math.max(a, b), 0), 1e-9);
  const bytes = new Uint8Array(SIDE * SIDE);
  values.forEach((value, place) => {
    bytes[(top + Math.floor(place / width)) * SIDE + left + (place % width)] = roundHalfEven(value * strength);
  });
  return bytes;
}

/** Where ink must begin along one side for its centre of mass to be at pixel 14. */
function start(mass) {
  const total = mass.reduce((a, b) => Math.fround(a + b), 0);
  const centre = mass.reduce((sum, value, place) => sum + value * place, 0) / Math.max(total, 1e-9);
  return Math.min(Math.max(roundHalfEven(SIDE / 2 - centre), 0), SIDE - mass.length);
}
