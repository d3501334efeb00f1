// Grids: {values, width, height}, the values row by row in a typed array; masks hold 0 and 1.

export const gridOf = (values, width) => ({ values, width, height: values.length / width });

export const shorterSide = ({ width, height }) => Math.min(width, height);

/** A grid of the same shape, each value from the values at its place. */
export function mapped(grid, value, Kind = Float32Array) {
  const result = new Kind(grid.values.length);
  for (let place = 0; place < result.length; place++) result[place] = value(grid.values[place], place);
  return { ...grid, values: result };
}

export const masked = (grid, value) => mapped(grid, value, Uint8Array);

/** Where a grid is above zero. */
export function positive({ values, width, height }) {
  const result = new Uint8Array(values.length);
  for (let place = 0; place < result.length; place++) if (values[place] > 0) result[place] = 1;
  return { values: result, width, height };
}

export function count(mask) {
  let sum = 0;
  for (let place = 0; place < mask.values.length; place++) sum += mask.values[place];
  return sum;
}

export function transposed({ values, width, height }) {
  const turned = new values.constructor(values.length);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) turned[column * height + row] = values[row * width + column];
  return { values: turned, width: height, height: width };
}

/** A box of a grid; where it reaches beyond, there are zeros. */
export function cut({ values, width, height }, box) {
  const part = new values.constructor(box.width * box.height);
  const [first, last] = [Math.max(0, -box.left), Math.min(box.width, width - box.left)];
  if (first >= last) return { values: part, width: box.width, height: box.height };
  for (let row = Math.max(0, -box.top); row < Math.min(box.height, height - box.top); row++) {
    const from = (row + box.top) * width + box.left;
    part.set(values.subarray(from + first, from + last), row * box.width + first);
  }
  return { values: part, width: box.width, height: box.height };
}

/** A box with so many pixels more on every side. */
export const wider = ({ left, top, width, height }, by) => ({
  left: left - by,
  top: top - by,
  width: width + 2 * by,
  height: height + 2 * by,
});

/** A grid with so many zeros more on every side. */
export const padded = (grid, by) => cut(grid, wider({ left: 0, top: 0, ...grid }, by));

/** The smallest box that holds a mask's pixels; null if there are none. */
export function boxOf({ values, width }) {
  let [left, top, right, bottom] = [Infinity, Infinity, -1, -1];
  for (let place = 0; place < values.length; place++) {
    if (!values[place]) continue;
    const column = place % width;
    const row = (place - column) / width;
    if (column < left) left = column;
    if (column > right) right = column;
    if (row < top) top = row;
    bottom = row;
  }
  return bottom < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}
