// A drawing made to look like MNIST's digits, as `dlproj predict-digit` prepares pictures: scaled
// to 20x20 pixels, its centre of mass in the middle of 28x28 (LeCun et al. 1998, section III.A).

import { median } from "./median.js";
import { SIDE } from "./network.js";
import { resize } from "./resample.js";

const INK_BOX = 20; // the longer side of a digit
const FAINTEST = 0.05; // of black on white; less is nothing
const SPECKLED_SIDE = 200; // pixels; from here on, a stroke is wider than a speck
const PAPER = 0.1; // of the darkest ink; fainter is paper
const STROKE = 0.35; // of the darkest ink; fainter does not stretch the box around the digit

/** To the nearest whole number; halves to the even one, as Python does. */
function roundHalfEven(x) {
  const whole = Math.floor(x);
  const rest = x - whole;
  if (rest !== 0.5) return Math.round(x);
  return whole % 2 ? whole + 1 : whole;
}

/** The smallest box that holds all ink of at least `STROKE`. */
function boxOf(ink, width) {
  let [left, top, right, bottom] = [Infinity, Infinity, -1, -1];
  ink.forEach((value, place) => {
    if (value <= STROKE) return;
    const [column, row] = [place % width, Math.floor(place / width)];
    [left, right] = [Math.min(left, column), Math.max(right, column)];
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
  });
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** Where ink must begin along one side for its centre of mass to be at pixel 14. */
function start(mass) {
  const total = mass.reduce((a, b) => a + b, 0);
  const centre = mass.reduce((sum, value, place) => sum + value * place, 0) / Math.max(total, 1e-9);
  return Math.min(Math.max(roundHalfEven(SIDE / 2 - centre), 0), SIDE - mass.length);
}

/** Ink placed with its centre of mass in the middle of 28x28, as bytes, as far as it fits. */
function centred(ink, width, height) {
  const columns = Array.from({ length: width }, (_, column) => sumOf(height, (row) => ink[row * width + column]));
  const rows = Array.from({ length: height }, (_, row) => sumOf(width, (column) => ink[row * width + column]));
  const [top, left] = [start(rows), start(columns)];
  const strength = 255 / Math.max(...ink, 1e-9);
  const bytes = new Uint8Array(SIDE * SIDE);
  ink.forEach((value, place) => {
    const [row, column] = [Math.floor(place / width), place % width];
    bytes[(top + row) * SIDE + left + column] = roundHalfEven(value * strength);
  });
  return bytes;
}

function sumOf(count, value) {
  let sum = 0;
  for (let index = 0; index < count; index++) sum += value(index);
  return sum;
}

/**
 * What the network sees of a drawing: 784 bytes, or null if nothing is drawn.
 * @param {Uint8Array} drawing ink of each pixel, 255 is black on white paper
 */
export function prepare(drawing, width) {
  const speckled = Math.min(width, drawing.length / width) >= SPECKLED_SIDE;
  const drawn = speckled ? median(drawing, width) : drawing;
  const strongest = drawn.reduce((a, b) => Math.max(a, b), 0) / 255;
  if (strongest < FAINTEST) return null;
  const ink = Float64Array.from(drawn, (value) =>
    Math.min(Math.max((value / 255 / strongest - PAPER) / (1 - PAPER), 0), 1),
  );
  const box = boxOf(ink, width);
  const cut = new Uint8Array(box.width * box.height).map((_, place) => {
    const [row, column] = [Math.floor(place / box.width), place % box.width];
    return Math.trunc(ink[(box.top + row) * width + box.left + column] * 255);
  });
  const ratio = INK_BOX / Math.max(box.width, box.height);
  const size = [box.width, box.height].map((side) => Math.max(1, roundHalfEven(side * ratio)));
  const scaled = resize(cut, [box.width, box.height], size, ratio < 1);
  return centred(Array.from(scaled, (byte) => byte / 255), ...size);
}
