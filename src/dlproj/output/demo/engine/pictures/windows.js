// Grey-scale morphology in rectangles, as SciPy's `ndimage` has it. Its pictures are mirrored at
// their edges, which adds nothing to a window's smallest and largest value.

import { transposed } from "./grid.js";

/**
 * The largest value of each window along the rows, from `before` pixels ahead to `after` behind:
 * a queue holds the values that no later one exceeds.
 */
function largestAlongRows({ values, width, height }, before, after) {
  const result = new values.constructor(values.length);
  const queue = new Int32Array(width);
  for (let row = 0; row < height; row++) {
    const start = row * width;
    let [head, tail, next] = [0, 0, 0];
    for (let column = 0; column < width; column++) {
      for (const end = Math.min(width - 1, column + after); next <= end; next++) {
        while (tail > head && values[start + queue[tail - 1]] <= values[start + next]) tail--;
        queue[tail++] = next;
      }
      while (queue[head] < column - before) head++;
      result[start + column] = values[start + queue[head]];
    }
  }
  return { values: result, width, height };
}

const negative = (grid) => ({ ...grid, values: grid.values.map((value) => -value) });

const alongBoth = (grid, rows, columns, along) => transposed(along(transposed(along(grid, columns)), rows));

export const dilated = (grid, rows, columns = rows) =>
  alongBoth(grid, rows, columns, (part, size) => largestAlongRows(part, (size - 1) >> 1, size >> 1));

const lowered = (grid, rows, columns) =>
  alongBoth(grid, rows, columns, (part, size) => largestAlongRows(part, size >> 1, (size - 1) >> 1));

export const eroded = (grid, rows, columns = rows) => negative(lowered(negative(grid), rows, columns));

/** What is dark and narrower than a square, filled. */
export const closed = (grid, size) => eroded(dilated(grid, size), size);

/** The pixels of all rectangles of that size that a mask holds. */
export function opened(mask, rows, columns) {
  const signed = { ...mask, values: Int8Array.from(mask.values) };
  const { values } = dilated(eroded(signed, rows, columns), rows, columns);
  return { ...mask, values: Uint8Array.from(values) };
}
