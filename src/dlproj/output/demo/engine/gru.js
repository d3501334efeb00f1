// The letter GRU (Cho et al. 2014; CharGRU of dlproj.models.langid), and what each letter says.

import { logSoftmax } from "./softmax.js";

const logistic = (x) => 1 / (1 + Math.exp(-x));

/** `bias` plus the product of the matrix and a vector, or its column for a one-hot input. */
function product(weight, bias, input) {
  if (typeof input === "number") {
    const columns = weight.length / bias.length;
    return Float64Array.from(bias, (start, row) => start + (input < 0 ? 0 : weight[row * columns + input]));
  }
  return Float64Array.from(bias, (start, row) =>
    input.reduce((sum, value, column) => sum + value * weight[row * input.length + column], start),
  );
}

/** The states of one GRU after each of its inputs (letter indices, or vectors). */
function states({ inputWeight, inputBias, stateWeight, stateBias }, inputs) {
  const size = stateBias.length / 3;
  let state = new Float64Array(size);
  return inputs.map((input) => {
    const [outer, inner] = [product(inputWeight, inputBias, input), product(stateWeight, stateBias, state)];
    state = state.map((old, unit) => {
      const reset = logistic(outer[unit] + inner[unit]);
      const update = logistic(outer[size + unit] + inner[size + unit]);
      const proposed = Math.tanh(outer[2 * size + unit] + reset * inner[2 * size + unit]);
      return (1 - update) * proposed + update * old;
    });
    return state;
  });
}

function logProbabilitiesOf({ layers, outputWeight, outputBias }, indices) {
  let inputs = indices;
  let last = [];
  for (const directions of layers) {
    const ways = directions.map((gru, backwards) => {
      const made = states(gru, backwards ? [...inputs].reverse() : inputs);
      return { last: made[made.length - 1], inOrder: backwards ? [...made].reverse() : made };
    });
    last = ways.flatMap((way) => [...way.last]);
    inputs = inputs.map((_, place) => Float64Array.from(ways.flatMap((way) => [...way.inOrder[place]])));
  }
  return logSoftmax(product(outputWeight, outputBias, Float64Array.from(last)));
}

/** As `ngramBag`; the part of a letter is what changes when it is made an unknown one. */
export function charGru(network, letters, indices) {
  const whole = logProbabilitiesOf(network, indices);
  const parts = () =>
    letters.map((text, place) => {
      const without = logProbabilitiesOf(network, indices.map((index, other) => (other === place ? -1 : index)));
      return { text, says: whole.map((value, language) => value - without[language]) };
    });
  return { logProbabilities: whole, parts, byHeart: false };
}
