// The bag of letter n-grams (NgramBag of dlproj.models.langid), and what each n-gram says.

import { logSoftmax } from "./softmax.js";

const FIBONACCI = 0x9e3779b97f4a7c15n;
const SMALL = 1e-5; // what LayerNorm adds to the variance

const highestBits = (mixed, bits) => Number(mixed >> BigInt(64 - bits));

/** The n-grams of a word: their letters (an edge is _) and 64 mixed bits. */
function gramsOf(network, letters, indices) {
  const base = BigInt(network.letters + 3);
  const numbers = [network.letters + 1, ...indices.map((index) => index + 1), network.letters + 2];
  const shown = ["_", ...letters, "_"];
  const grams = [];
  for (let size = 1; size <= Math.min(network.longest, numbers.length); size++)
    for (let start = 0; start + size <= numbers.length; start++) {
      const code = numbers.slice(start, start + size).reduce((sum, number) => sum * base + BigInt(number), 0n);
      const mixed = BigInt.asUintN(64, (code * 8n + BigInt(size - 1)) * FIBONACCI);
      grams.push({ text: shown.slice(start, start + size).join(""), mixed });
    }
  return grams;
}

/** What one n-gram adds: a vector of the table, and what was counted of each language. */
function rowsOf({ table, width, marks, logOdds, classes, tableBits, slotBits }, { mixed }) {
  const row = highestBits(mixed, tableBits) * width;
  const slot = highestBits(mixed, slotBits);
  const known = marks[slot] === highestBits(mixed, slotBits + 8) % 256;
  return {
    learnt: table.subarray(row, row + width),
    counted: known ? logOdds.subarray(slot * classes, (slot + 1) * classes) : new Float32Array(classes),
  };
}

function addInto(sum, row, sign = 1) {
  row.forEach((value, index) => {
    sum[index] += sign * value;
  });
  return sum;
}

/** LayerNorm (Ba et al. 2016) of one vector. */
function layerNorm(vector, scale, shift) {
  const mean = vector.reduce((a, b) => a + b) / vector.length;
  const variance = vector.reduce((sum, value) => sum + (value - mean) ** 2, 0) / vector.length;
  return vector.map((value, index) => ((value - mean) / Math.sqrt(variance + SMALL)) * scale[index] + shift[index]);
}

const dense = (weight, bias, vector) =>
  Float64Array.from(bias, (start, output) =>
    vector.reduce((sum, value, input) => sum + value * weight[output * vector.length + input], start),
  );

/** Log-probabilities from the sums over all n-grams. */
function combine(network, learntSum, countedSum) {
  const normed = layerNorm(learntSum, network.normScale, network.normShift);
  const hidden = dense(network.hiddenWeight, network.hiddenBias, normed).map((value) => Math.max(value, 0));
  const learnt = logSoftmax(dense(network.outputWeight, network.outputBias, hidden));
  const counted = logSoftmax(countedSum);
  const mean = learnt.map((value, index) => value + network.share * (counted[index] - value));
  return logSoftmax(mean.map((value) => value / network.temperature));
}

/** Log-probabilities of a word that the network knows by heart; null if it does not. */
function recall({ letters, classes, knownBits, known, knownHigh, knownLow }, indices) {
  if (!knownBits) return null;
  const numbers = [letters + 1, ...indices.map((index) => index + 1), letters + 2];
  let sum = 0n;
  let power = 1n;
  for (const number of numbers) {
    sum += BigInt.asUintN(64, BigInt(number) * power) >> 24n;
    power = BigInt.asUintN(64, power * FIBONACCI);
  }
  const mixed = BigInt.asUintN(64, sum * FIBONACCI);
  const slot = highestBits(mixed, knownBits);
  if (knownHigh[slot] * 256 + knownLow[slot] !== highestBits(mixed, knownBits + 16) % 65536) return null;
  return logSoftmax(Float64Array.from(known.subarray(slot * classes, (slot + 1) * classes)));
}

/**
 * Log-probabilities of the languages, and the part of each n-gram in them: how much less (or
 * more) likely each language is without it.
 */
export function ngramBag(network, letters, indices) {
  const grams = gramsOf(network, letters, indices);
  const rows = grams.map((gram) => rowsOf(network, gram));
  const learnt = rows.reduce((sum, row) => addInto(sum, row.learnt), new Float64Array(network.width));
  const counted = rows.reduce((sum, row) => addInto(sum, row.counted), new Float64Array(network.classes));
  const whole = combine(network, learnt, counted);
  const parts = () =>
    grams.map(({ text }, index) => {
      const without = combine(
        network,
        addInto(learnt.slice(), rows[index].learnt, -1),
        addInto(counted.slice(), rows[index].counted, -1),
      );
      return { text, says: whole.map((value, language) => value - without[language]) };
    });
  return { logProbabilities: recall(network, indices) ?? whole, parts };
}
