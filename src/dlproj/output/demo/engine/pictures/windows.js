// Grey-scale morphology in squares, as SciPy's `ndimage` has it. Its pictures are mirrored at their
// edges, which adds nothing to a window's smallest and largest value.

/**
 * The largest value of each window along the rows, from `before` pixels ahead to `after` behind,
 * as columns (van Herk 1992): of blocks as long as a window, `down` has the largest from their
 * start to each place, and `up` from each place to their end. A window lies in one or two of them.
 */
function largestAlongRows({ values, width, height }, before, after) {
  const result = new Float32Array(values.length);
  const block = before + after + 1;
  const size = Math.ceil((width + after) / block) * block;
  const [line, down, up] = [0, 1, 2].map(() => new Float32Array(size).fill(-Infinity));
  for (let row = 0; row < height; row++) {
    if (row && isLikeAbove(values, row, width)) {
      for (let place = row; place < result.length; place += height) result[place] = result[place - 1];
      continue;
    }
    for (let column = 0, from = row * width; column < width; column++) line[column] = values[from + column];
    for (let start = 0; start < size; start += block) {
      let largest = -Infinity;
      for (let place = start; place < start + block; place++) {
        if (line[place] > largest) largest = line[place];
        down[place] = largest;
      }
      largest = -Infinity;
      for (let place = start + block - 1; place >= start; place--) {
        if (line[place] > largest) largest = line[place];
        up[place] = largest;
      }
    }
    for (let column = 0; column < width; column++) {
      const behind = down[column + after];
      const ahead = column < before ? behind : up[column - before];
      result[column * height + row] = ahead > behind ? ahead : behind;
    }
  }
  return { values: result, width: height, height: width };
}

/** Whether a row repeats the one above it, as most of empty paper does. */
function isLikeAbove(values, row, width) {
  for (let place = row * width; place < (row + 1) * width; place++) if (values[place] !== values[place - width]) return false;
  return true;
}

function negative({ values, width, height }) {
  const result = new Float32Array(values.length);
  for (let place = 0; place < values.length; place++) result[place] = -values[place];
  return { values: result, width, height };
}

const largest = (grid, before, after) => largestAlongRows(largestAlongRows(grid, before, after), before, after);

/** The largest value in a square around each pixel; an even square reaches further behind it. */
export const dilated = (grid, size) => largest(grid, (size - 1) >> 1, size >> 1);

/** The smallest; an even square reaches further ahead. */
export const eroded = (grid, size) => negative(largest(negative(grid), size >> 1, (size - 1) >> 1));

/** What is dark and narrower than a square, filled. */
export const closed = (grid, size) => eroded(dilated(grid, size), size);
