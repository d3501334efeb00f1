// Products of a matrix (rows, inner) with many vectors (count, inner), in blocks: sums stay in
// registers, which is what makes them quick.

const [ROWS, VECTORS] = [4, 2]; // of a block

/** Matrix times each vector: (rows, count), each row starting from its number of `bias`. */
export function product(matrix, vectors, inner, bias) {
  const [rows, count] = [matrix.length / inner, vectors.length / inner];
  const result = new Float32Array(rows * count);
  const sums = new Float64Array(ROWS * VECTORS);
  for (let row = 0; row < rows; row += ROWS)
    for (let vector = 0; vector < count; vector += VECTORS) {
      block(matrix, vectors, inner, row, vector, sums);
      for (let down = 0; down < ROWS && row + down < rows; down++)
        for (let right = 0; right < VECTORS && vector + right < count; right++)
          result[(row + down) * count + vector + right] = sums[down * VECTORS + right] + (bias ? bias[row + down] : 0);
    }
  return result;
}

/** The products of four rows with two vectors; beyond the last of either, it is taken again. */
function block(matrix, vectors, inner, row, vector, sums) {
  const [lastRow, lastVector] = [matrix.length - inner, vectors.length - inner];
  const a = row * inner;
  const b = Math.min(a + inner, lastRow);
  const c = Math.min(a + 2 * inner, lastRow);
  const d = Math.min(a + 3 * inner, lastRow);
  const left = vector * inner;
  const right = Math.min(left + inner, lastVector);
  let a0 = 0, a1 = 0, b0 = 0, b1 = 0, c0 = 0, c1 = 0, d0 = 0, d1 = 0;
  for (let index = 0; index < inner; index++) {
    const x = vectors[left + index];
    const y = vectors[right + index];
    a0 += x * matrix[a + index];
    a1 += y * matrix[a + index];
    b0 += x * matrix[b + index];
    b1 += y * matrix[b + index];
    c0 += x * matrix[c + index];
    c1 += y * matrix[c + index];
    d0 += x * matrix[d + index];
    d1 += y * matrix[d + index];
  }
  sums[0] = a0;
  sums[1] = a1;
  sums[2] = b0;
  sums[3] = b1;
  sums[4] = c0;
  sums[5] = c1;
  sums[6] = d0;
  sums[7] = d1;
}

/**
 * The transposed matrix times each vector: slopes (rows, count) to (count, inner). Slopes that are
 * zero, as most are behind max-pooling and ReLU, cost nothing.
 */
export function transposedProduct(matrix, slopes, inner) {
  const rows = matrix.length / inner;
  const count = slopes.length / rows;
  const result = new Float32Array(count * inner);
  const [found, values] = [new Int32Array(rows + 3), new Float64Array(rows + 3)];
  for (let vector = 0; vector < count; vector++) {
    let some = 0;
    for (let row = 0; row < rows; row++) {
      const slope = slopes[row * count + vector];
      if (slope === 0) continue;
      found[some] = row * inner;
      values[some++] = slope;
    }
    values.fill(0, some, some + 3); // so that the last four are whole
    const place = vector * inner;
    for (let next = 0; next < some; next += 4) {
      const [a, b, c, d] = found.subarray(next, next + 4);
      const [first, second, third, fourth] = values.subarray(next, next + 4);
      for (let index = 0; index < inner; index++)
        result[place + index] +=
          first * matrix[a + index] + second * matrix[b + index] + third * matrix[c + index] + fourth * matrix[d + index];
    }
  }
  return result;
}
