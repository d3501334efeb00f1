// Pillow's resampling of pictures of floating-point numbers: columns before rows (Pillow's
// src/libImaging/Resample.c).

import { transposed } from "./grid.js";

const box = { support: 0.5, value: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) };

/** Keys' cubic of 1981 with a = -0.5. */
const bicubic = {
  support: 2,
  value(x) {
    const size = Math.abs(x);
    if (size < 1) return (1.5 * size - 2.5) * size * size + 1;
    if (size < 2) return ((size - 5) * size + 8) * size * -0.5 + 2;
    return 0;
  },
};

/** For each place of the result, where its inputs begin, and their weights. */
function weightsOf(from, to, filter) {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = filter.support * stretch;
  return Array.from({ length: to }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const last = Math.min(from, Math.trunc(centre + support + 0.5));
    const weights = Array.from({ length: last - first }, (_, index) =>
      filter.value((index + first - centre + 0.5) * (1 / stretch)),
    );
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((weight) => weight / (sum || 1)) };
  });
}

function alongRows({ values, width, height }, to, filter) {
  if (to === width) return { values, width, height };
  const places = weightsOf(width, to, filter);
  const result = new Float32Array(to * height);
  for (let row = 0; row < height; row++)
    places.forEach(({ first, weights }, column) => {
      let sum = 0;
      for (let index = 0; index < weights.length; index++) sum += weights[index] * values[row * width + first + index];
      result[row * to + column] = sum;
    });
  return { values: result, width: to, height };
}

/** A picture of another size: with Pillow's BOX if it gets smaller, else with its BICUBIC. */
export function resize(grid, width, height, shrink) {
  const filter = shrink ? box : bicubic;
  return transposed(alongRows(transposed(alongRows(grid, width, filter)), height, filter));
}
