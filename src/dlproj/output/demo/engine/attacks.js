// Attacks within epsilon of each pixel (linf), as dlproj.attacks makes them.

import { gradientOf, logitsOf } from "./network.js";
import { generator } from "./random.js";
import { argmax, crossEntropySlope } from "./softmax.js";

const { fround } = Math;
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** The gradient of the cross-entropy of `label` by the pixels. */
function lossGradient(network, pixels, label) {
  return gradientOf(network, pixels, (logits) => crossEntropySlope(logits, label)).gradient;
}

/** One step from `start` along the gradient's sign, within epsilon of the image and in [0, 1]. */
function step(gradient, start, pixels, epsilon, size) {
  return start.map((value, index) => {
    const moved = fround(value + fround(fround(size) * Math.sign(gradient[index])));
    const [low, high] = [fround(pixels[index] - fround(epsilon)), fround(pixels[index] + fround(epsilon))];
    return clamp(clamp(moved, low, high), 0, 1);
  });
}

/**
 * Fast Gradient Sign Method: one step of full length (Goodfellow et al. 2015), as a function of
 * epsilon: the gradient is the same for all of them.
 */
export function fgsm(network, pixels, label) {
  const gradient = lossGradient(network, pixels, label);
  return (epsilon) => step(gradient, pixels, pixels, epsilon, epsilon);
}

/** Projected Gradient Descent from a random start (Madry et al. 2018), as a function of epsilon. */
export const pgd = (network, pixels, label, steps, seed = 0) => (epsilon) => {
  const random = generator(seed);
  let moved = pixels.map((value) => clamp(value + epsilon * (2 * random() - 1), 0, 1));
  for (let done = 0; done < steps; done++)
    moved = step(lossGradient(network, moved, label), moved, pixels, epsilon, (2.5 * epsilon) / steps);
  return moved;
};

/** Every pixel up or down by epsilon, by the toss of a coin. */
export function noise(pixels, epsilon, seed = 0) {
  const random = generator(seed);
  return pixels.map((value) => clamp(value + (random() < 0.5 ? -epsilon : epsilon), 0, 1));
}

/**
 * The smallest epsilon, in steps of 1/255 up to `largest`, at which an attack succeeds; or null.
 * FGSM may fail again at a larger one, so it is tried upwards; PGD by halves.
 * @param {(epsilon: number) => Float32Array} attack
 */
export async function smallestEpsilon(network, label, attack, { largest, upwards, pause }) {
  const fooled = (level) => argmax(logitsOf(network, attack(level / 255))) !== label;
  let [low, high] = [0, Math.round(largest * 255)];
  if (upwards) {
    for (let level = 1; level <= high; level++) {
      if (fooled(level)) return level / 255;
      await pause();
    }
    return null;
  }
  if (!fooled(high)) return null;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (fooled(middle)) high = middle;
    else low = middle;
    await pause();
  }
  return high / 255;
}
