// The median of each pixel and its eight neighbours, which takes specks away.

/** Compare two of nine numbers and put the smaller one first. */
function order(nine, a, b) {
  if (nine[a] <= nine[b]) return;
  const larger = nine[a];
  nine[a] = nine[b];
  nine[b] = larger;
}

/** The pairs whose comparison, in this order, brings the median of nine to place 4 (Smith 1996). */
const PAIRS = [
  [1, 2], [4, 5], [7, 8], [0, 1], [3, 4], [6, 7], [1, 2], [4, 5], [7, 8], [0, 3],
  [5, 8], [4, 7], [3, 6], [1, 4], [2, 5], [4, 7], [4, 2], [6, 4], [4, 2],
];

/** A picture, filtered; at its edges the outermost pixels are repeated. */
export function median(values, width) {
  const height = values.length / width;
  const result = new values.constructor(values.length);
  const nine = new values.constructor(9);
  for (let row = 0; row < height; row++) {
    const rows = [Math.max(row - 1, 0), row, Math.min(row + 1, height - 1)];
    for (let column = 0; column < width; column++) {
      const columns = [Math.max(column - 1, 0), column, Math.min(column + 1, width - 1)];
      let next = 0;
      let [least, most] = [Infinity, -Infinity];
      for (const y of rows)
        for (const x of columns) {
          const value = values[y * width + x];
          nine[next++] = value;
          if (value < least) least = value;
          if (value > most) most = value;
        }
      if (least < most) for (let pair = 0; pair < PAIRS.length; pair++) order(nine, PAIRS[pair][0], PAIRS[pair][1]);
      result[row * width + column] = nine[4];
    }
  }
  return result;
}
