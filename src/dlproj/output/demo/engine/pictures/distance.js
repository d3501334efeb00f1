// The exact Euclidean distance transform (Felzenszwalb & Huttenlocher 2012).

import { transposed } from "./grid.js";

const FAR = 1e12;

/** Along each row, the lower envelope of the parabolas that stand on its squared distances. */
function alongRows({ values, width, height }) {
  const result = new Float64Array(values.length);
  const centres = new Int32Array(width);
  const bounds = new Float64Array(width + 1);
  for (let row = 0; row < height; row++) {
    const line = values.subarray(row * width, (row + 1) * width);
    const meet = (a, b) => (line[b] + b * b - line[a] - a * a) / (2 * (b - a));
    let last = 0;
    [centres[0], bounds[0], bounds[1]] = [0, -Infinity, Infinity];
    for (let column = 1; column < width; column++) {
      let bound = meet(centres[last], column);
      while (bound <= bounds[last]) bound = meet(centres[--last], column);
      centres[++last] = column;
      [bounds[last], bounds[last + 1]] = [bound, Infinity];
    }
    for (let column = 0, index = 0; column < width; column++) {
      while (bounds[index + 1] < column) index++;
      result[row * width + column] = (column - centres[index]) ** 2 + line[centres[index]];
    }
  }
  return { values: result, width, height };
}

/** How far each pixel of a mask is from the nearest that is not in it, in pixels. */
export function distances(mask) {
  const start = { ...mask, values: Float64Array.from(mask.values, (value) => (value ? FAR : 0)) };
  const squares = transposed(alongRows(transposed(alongRows(start))));
  return { ...mask, values: squares.values.map(Math.sqrt) };
}
