// A digit network: columns of layers, each of which may look at the image in several places.
// With more than one look, the mean of the probabilities counts (FastCNN and DeepCNN).

import * as conv2d from "./conv2d.js";
import * as linear from "./linear.js";
import * as maxpool from "./maxpool.js";
import { affine, normalise, relu, sigmoid } from "./pointwise.js";
import { logSoftmax } from "./softmax.js";

export const SIDE = 28;
const KINDS = { affine, conv2d, linear, maxpool, normalise, relu, sigmoid };

/** A network with its tensors in place of their names. */
export function build({ columns, looks }, tensors) {
  const put = (value) => (typeof value === "string" && value in tensors ? tensors[value] : value);
  const filled = columns.map((layers) =>
    layers.map((layer) => Object.fromEntries(Object.entries(layer).map(([key, value]) => [key, put(value)]))),
  );
  return { columns: filled, looks };
}

/** The image moved down and to the right, zeros behind it. */
function move(pixels, down, right) {
  if (!down && !right) return pixels;
  const moved = new Float32Array(pixels.length);
  for (let row = 0; row < SIDE; row++)
    for (let column = 0; column < SIDE; column++) {
      const [y, x] = [row - down, column - right];
      if (y >= 0 && y < SIDE && x >= 0 && x < SIDE) moved[row * SIDE + column] = pixels[y * SIDE + x];
    }
  return moved;
}

/** What every layer of one column makes of the image: the last is the logits. */
export function activations(layers, pixels) {
  const all = [{ data: Float32Array.from(pixels), shape: [1, SIDE, SIDE] }];
  for (const layer of layers) all.push(KINDS[layer.kind].forward(layer, all[all.length - 1]));
  return all;
}

/** Every column's look from every place, with its log-probabilities. */
function look(network, pixels) {
  return network.columns.flatMap((layers) =>
    network.looks.map(([down, right]) => {
      const all = activations(layers, move(pixels, down, right));
      return { layers, all, down, right, logits: all[all.length - 1].data };
    }),
  );
}

/** One look's logits, or the logarithm of the mean of the probabilities of several. */
function join(looks) {
  if (looks.length === 1) return Float64Array.from(looks[0].logits);
  const shares = looks.map(({ logits }) => logSoftmax(logits));
  return shares[0].map((_, index) => Math.log(shares.reduce((sum, share) => sum + Math.exp(share[index]), 0) / looks.length));
}

/** Pixels (784 in [0, 1]) to logits. */
export const logitsOf = (network, pixels) => join(look(network, pixels));

/** The gradient by the pixels of what has the gradient `slope(logits)` by the logits. */
export function gradientOf(network, pixels, slope) {
  const looks = look(network, pixels);
  const joined = join(looks);
  const outer = slope(joined);
  const total = new Float32Array(pixels.length);
  for (const { layers, all, down, right, logits } of looks) {
    let gradient = Float32Array.from(looks.length === 1 ? outer : throughMean(outer, joined, logits, looks.length));
    for (let index = layers.length - 1; index >= 0; index--)
      gradient = KINDS[layers[index].kind].backward(layers[index], all[index], all[index + 1], gradient);
    move(gradient, -down, -right).forEach((value, index) => {
      total[index] += value;
    });
  }
  return { logits: joined, gradient: total };
}

/** The gradient by one look's logits: that of a logarithm of a mean of softmaxes. */
function throughMean(outer, joined, logits, count) {
  const own = logSoftmax(logits);
  const weighted = outer.map((value, index) => (value * Math.exp(own[index] - joined[index])) / count);
  const sum = weighted.reduce((a, b) => a + b);
  return weighted.map((value, index) => value - Math.exp(own[index]) * sum);
}
