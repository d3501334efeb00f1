// Gaussian blur as SciPy's `gaussian_filter`: cut off after four deviations, mirrored at the edges.

import { transposed } from "./grid.js";

function kernelOf(deviation) {
  const radius = Math.trunc(4 * deviation + 0.5);
  const weights = Array.from({ length: 2 * radius + 1 }, (_, place) => Math.exp((-0.5 / deviation ** 2) * (place - radius) ** 2));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

function alongRows({ values, width, height }, kernel) {
  const radius = kernel.length >> 1;
  const result = new Float32Array(values.length);
  const line = new Float32Array(width + 2 * radius);
  for (let row = 0; row < height; row++) {
    for (let place = 0; place < line.length; place++) {
      const column = place - radius;
      const inside = column < 0 ? -column - 1 : column < width ? column : 2 * width - column - 1;
      line[place] = values[row * width + inside];
    }
    for (let column = 0; column < width; column++) {
      let sum = 0;
      for (let place = 0; place < kernel.length; place++) sum += kernel[place] * line[column + place];
      result[row * width + column] = sum;
    }
  }
  return { values: result, width, height };
}

export function blurred(grid, deviation) {
  const kernel = kernelOf(deviation);
  return alongRows(transposed(alongRows(transposed(grid), kernel)), kernel);
}
