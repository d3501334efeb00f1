// Layers that look at each number by itself.

/** A layer from a function of a number, and its derivative by input and output. */
const pointwise = (value, derivative) => ({
  forward: (layer, x) => ({ data: x.data.map((number) => value(number, layer)), shape: x.shape }),
  backward: (layer, x, y, gradient) =>
    gradient.map((number, index) => number * derivative(x.data[index], y.data[index], layer)),
});

export const relu = pointwise((x) => (x > 0 ? x : 0), (x) => (x > 0 ? 1 : 0));

/** Pixels to mean 0 and deviation 1. */
export const normalise = pointwise(
  (x, { mean, deviation }) => (x - mean) / deviation,
  (x, y, { deviation }) => 1 / deviation,
);

/** A soft threshold of pixels. */
export const sigmoid = pointwise(
  (x, { slope, threshold }) => 1 / (1 + Math.exp(-slope * (x - threshold))),
  (x, y, { slope }) => slope * y * (1 - y),
);

/** BatchNorm once it is trained: a scale and a shift for each channel. */
export const affine = {
  forward({ scale, shift }, x) {
    const area = x.data.length / x.shape[0];
    const data = x.data.map((number, index) => {
      const channel = Math.floor(index / area);
      return number * scale[channel] + shift[channel];
    });
    return { data, shape: x.shape };
  },
  backward({ scale }, x, y, gradient) {
    const area = x.data.length / x.shape[0];
    return gradient.map((number, index) => number * scale[Math.floor(index / area)]);
  },
};
