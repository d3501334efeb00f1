// The small network of one input and one output (1 -> 20 -> 20 -> 20 -> 1, 901 parameters): its
// training with Adam, live in the page.

import { generator, shuffled } from "./random.js";

const SIZES = [1, 20, 20, 20, 1];
const BETA1 = 0.9;
const BETA2 = 0.99;
const TINY = 1e-8;

const ACTIVATIONS = {
  relu: { value: (x) => (x > 0 ? x : 0), slope: (y) => (y > 0 ? 1 : 0) },
  tanh: { value: Math.tanh, slope: (y) => 1 - y * y },
};

/** Fresh weights and biases, uniform in ±1/sqrt(inputs) as torch makes them. */
function freshLayers(random) {
  return SIZES.slice(1).map((outputs, index) => {
    const inputs = SIZES[index];
    const draw = () => (2 * random() - 1) / Math.sqrt(inputs);
    return {
      inputs,
      outputs,
      weight: Float64Array.from({ length: inputs * outputs }, draw),
      bias: Float64Array.from({ length: outputs }, draw),
    };
  });
}

const moments = (layers) => layers.map(({ weight, bias }) => ({ weight: new Float64Array(weight.length), bias: new Float64Array(bias.length) }));

/** Mean and deviation of own points; a curve on [-2π, 2π] is taken as it is. */
function scaling(points) {
  const mean = points.reduce((sum, value) => sum + value, 0) / points.length;
  const deviation = Math.sqrt(points.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, points.length - 1));
  return { mean, deviation: deviation || 1 };
}

/**
 * A training of points x and y.
 * @param {{activation: string, lr: number, schedule: string, epochs: number, batch: number,
 *   seed: number, scale: boolean}} settings `scale`: bring x and y to mean 0 and deviation 1 inside
 */
export function startTraining(x, y, settings) {
  const random = generator(settings.seed);
  const layers = freshLayers(random);
  const [inside, outside] = settings.scale ? [scaling(x), scaling(y)] : [0, 1].map(() => ({ mean: 0, deviation: 1 }));
  const steps = Math.ceil(x.length / settings.batch) * settings.epochs;
  return {
    ...settings, x, y, random, layers, inside, outside, steps,
    first: moments(layers), second: moments(layers), step: 0, epoch: 0, order: [], place: 0,
  };
}

/** The learning rate of the next step; one-cycle rises for 30 % of the steps, then falls. */
export function rate({ lr, schedule, step, steps }) {
  if (schedule === "constant") return lr;
  const peak = 0.3 * (steps + 1) - 1;
  const cosine = (from, to, share) => to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));
  if (step <= peak) return cosine(lr / 25, lr, step / peak);
  return cosine(lr, lr / 25e4, Math.min(1, (step - peak) / (steps - peak)));
}

/** The outputs of every layer for one input. */
function run(layers, activation, input) {
  const outputs = [Float64Array.of(input)];
  layers.forEach(({ weight, bias, inputs }, depth) => {
    const before = outputs[depth];
    outputs.push(
      bias.map((start, unit) => {
        let sum = start;
        for (let index = 0; index < inputs; index++) sum += weight[unit * inputs + index] * before[index];
        return depth === layers.length - 1 ? sum : activation.value(sum);
      }),
    );
  });
  return outputs;
}

/** Add to `gradients` those of a loss with the slope `error` by the last output. */
function backpropagate(layers, activation, outputs, error, gradients) {
  let slope = Float64Array.of(error);
  for (let depth = layers.length - 1; depth >= 0; depth--) {
    const { weight, inputs } = layers[depth];
    const before = outputs[depth];
    const next = new Float64Array(inputs);
    slope.forEach((value, unit) => {
      gradients[depth].bias[unit] += value;
      for (let index = 0; index < inputs; index++) {
        gradients[depth].weight[unit * inputs + index] += value * before[index];
        next[index] += value * weight[unit * inputs + index];
      }
    });
    slope = depth ? next.map((value, index) => value * activation.slope(before[index])) : next;
  }
}

/** One step of Adam (Kingma & Ba 2015). */
function adam(training, gradients) {
  const lr = rate(training);
  const count = ++training.step;
  const [correct1, correct2] = [1 - BETA1 ** count, 1 - BETA2 ** count];
  training.layers.forEach((layer, depth) => {
    for (const name of ["weight", "bias"]) {
      const [first, second] = [training.first[depth][name], training.second[depth][name]];
      gradients[depth][name].forEach((gradient, index) => {
        first[index] += (1 - BETA1) * (gradient - first[index]);
        second[index] += (1 - BETA2) * (gradient * gradient - second[index]);
        const size = Math.sqrt(second[index] / correct2) + TINY;
        layer[name][index] -= (lr * first[index]) / correct1 / size;
      });
    }
  });
}

/** One step down the mean squared error of the next batch; returns whether an epoch ended. */
export function trainStep(training) {
  const { x, y, layers, inside, outside, batch } = training;
  if (!training.place) training.order = shuffled(x.length, training.random);
  const rows = training.order.subarray(training.place, training.place + batch);
  const gradients = moments(layers);
  const activation = ACTIVATIONS[training.activation];
  for (const row of rows) {
    const outputs = run(layers, activation, (x[row] - inside.mean) / inside.deviation);
    const made = outputs[outputs.length - 1][0] * outside.deviation + outside.mean;
    backpropagate(layers, activation, outputs, (2 * (made - y[row]) * outside.deviation) / rows.length, gradients);
  }
  adam(training, gradients);
  training.place += rows.length;
  if (training.place < x.length) return false;
  training.place = 0;
  training.epoch += 1;
  return true;
}

/** What the network says at x. */
export function curveAt({ layers, activation, inside, outside }, x) {
  const outputs = run(layers, ACTIVATIONS[activation], (x - inside.mean) / inside.deviation);
  return outputs[outputs.length - 1][0] * outside.deviation + outside.mean;
}

/** Half the mean squared error on points x and y: how the course scores. */
export function halfMse(training, x, y) {
  const sum = x.reduce((total, input, index) => total + (curveAt(training, input) - y[index]) ** 2, 0);
  return sum / x.length / 2;
}
