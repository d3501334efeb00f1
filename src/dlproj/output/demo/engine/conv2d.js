// Convolution of one image: weights (outputs, channels, side, side), as torch.nn.Conv2d has them.
// The patches under the filter become vectors, so that it is a product with a matrix.

import { product, transposedProduct } from "./matrix.js";

const known = new WeakMap(); // the places of each layer's patches

/** How high and wide the output is. */
const sizeOf = ({ side, stride, padding }, [, tall, wide]) =>
  [tall, wide].map((size) => Math.floor((size + 2 * padding - side) / stride) + 1);

/** For each number of each patch, where in the image it is; -1 in the padding. */
function placesOf(layer, shape) {
  if (known.has(layer)) return known.get(layer);
  const { side, stride, padding } = layer;
  const [channels, tall, wide] = shape;
  const [height, width] = sizeOf(layer, shape);
  const places = new Int32Array(height * width * channels * side * side);
  let next = 0;
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++)
      for (let channel = 0; channel < channels; channel++)
        for (let down = 0; down < side; down++)
          for (let right = 0; right < side; right++) {
            const [y, x] = [row * stride + down - padding, column * stride + right - padding];
            const inside = y >= 0 && y < tall && x >= 0 && x < wide;
            places[next++] = inside ? (channel * tall + y) * wide + x : -1;
          }
  known.set(layer, places);
  return places;
}

export function forward(layer, x) {
  const places = placesOf(layer, x.shape);
  const patches = new Float32Array(places.length);
  for (let index = 0; index < places.length; index++) {
    if (places[index] >= 0) patches[index] = x.data[places[index]];
  }
  const data = product(layer.weight, patches, x.shape[0] * layer.side ** 2, layer.bias);
  return { data, shape: [layer.outputs, ...sizeOf(layer, x.shape)] };
}

/** The gradient by the input, from that by the output. */
export function backward(layer, x, y, gradient) {
  const places = placesOf(layer, x.shape);
  const patches = transposedProduct(layer.weight, gradient, x.shape[0] * layer.side ** 2);
  const data = new Float32Array(x.data.length);
  for (let index = 0; index < places.length; index++) {
    if (places[index] >= 0) data[places[index]] += patches[index];
  }
  return data;
}
