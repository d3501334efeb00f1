// Morphology of masks (0 and 1) in rectangles: as in `windows.js`, by the lengths of runs of ones.

/** Where a window of `size` along the rows, `before` pixels of it ahead, holds nothing but `value`. */
function wholeAlongRows({ values, width, height }, size, before, value) {
  const after = size - 1 - before;
  const result = new Uint8Array(values.length);
  for (let start = 0; start < values.length; start += width) {
    let run = before; // beyond the edges there is nothing that disturbs
    for (let column = 0; column < width + after; column++) {
      run = column >= width || values[start + column] === value ? run + 1 : 0;
      if (run >= size && column >= after) result[start + column - after] = 1;
    }
  }
  return { values: result, width, height };
}

function wholeAlongColumns({ values, width, height }, size, before, value) {
  const after = size - 1 - before;
  const result = new Uint8Array(values.length);
  const runs = new Int32Array(width).fill(before);
  for (let row = 0; row < height + after; row++)
    for (let column = 0; column < width; column++) {
      runs[column] = row >= height || values[row * width + column] === value ? runs[column] + 1 : 0;
      if (runs[column] >= size && row >= after) result[(row - after) * width + column] = 1;
    }
  return { values: result, width, height };
}

/** The pixels around which a whole rectangle is in the mask. */
function shrunk(mask, rows, columns) {
  const lying = columns > 1 ? wholeAlongRows(mask, columns, columns >> 1, 1) : mask;
  return rows > 1 ? wholeAlongColumns(lying, rows, rows >> 1, 1) : lying;
}

/** The pixels around which a rectangle has some of the mask. */
export function spread(mask, rows, columns = rows) {
  const empty = wholeAlongRows(mask, columns, (columns - 1) >> 1, 0);
  const result = wholeAlongColumns(empty, rows, (rows - 1) >> 1, 1);
  for (let place = 0; place < result.values.length; place++) result.values[place] ^= 1;
  return result;
}

/** The pixels of all rectangles of that size that a mask holds. */
export const opened = (mask, rows, columns) => spread(shrunk(mask, rows, columns), rows, columns);
