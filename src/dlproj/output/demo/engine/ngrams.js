// The bag of letter n-grams (NgramBag of dlproj.models.ngrams), and what each n-gram says.

import { logSoftmax } from "./softmax.js";

const FIBONACCI = 0x9e3779b97f4a7c15n;
const POWERS = 512; // places in a word that its hash tells apart
const SMALL = 1e-5; // what LayerNorm adds to the variance

const highestBits = (mixed, bits) => Number(mixed >> BigInt(64 - bits));

/** The letters of a word as numbers, its edges around them. */
const withEdges = ({ letters }, indices) => [letters + 1, ...indices.map((index) => index + 1), letters + 2];

/** Where the sum begins that an n-gram adds to: that of all, or one of its length's three. */
function startOfSum({ apart, width }, size, isFirst, isLast) {
  const place = isFirst ? 1 : isLast ? 2 : 0;
  return apart ? (3 * (size - 1) + place) * width : 0;
}

/** The n-grams of a word: their letters (an edge is _), 64 mixed bits, and where their sum begins. */
function gramsOf(network, letters, numbers) {
  const base = BigInt(network.letters + 3);
  const shown = ["_", ...letters, "_"];
  const grams = [];
  for (let size = 1; size <= Math.min(network.longest, numbers.length); size++)
    for (let start = 0; start + size <= numbers.length; start++) {
      const code = numbers.slice(start, start + size).reduce((sum, number) => sum * base + BigInt(number), 0n);
      const mixed = BigInt.asUintN(64, (code * 8n + BigInt(size - 1)) * FIBONACCI);
      const place = startOfSum(network, size, start === 0, start + size === numbers.length);
      grams.push({ text: shown.slice(start, start + size).join(""), mixed, place });
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

function addInto(sum, row, sign = 1, place = 0) {
  row.forEach((value, index) => {
    sum[place + index] += sign * value;
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

/** What a word that is known by heart has for logits; nothing, if it is not. */
function recall({ known, knownMarks, knownBits, classes }, numbers) {
  if (!known) return null;
  const drawn = numbers.map((number, place) => BigInt(number) * FIBONACCI ** BigInt(place % POWERS));
  const sum = drawn.reduce((whole, value) => whole + (BigInt.asUintN(64, value) >> 24n), 0n);
  const mixed = BigInt.asUintN(64, sum * FIBONACCI);
  const slot = highestBits(mixed, knownBits);
  const mark = (highestBits(mixed, knownBits + 16) % 2 ** 16) - 2 ** 15;
  return knownMarks[slot] === mark ? known.subarray(slot * classes, (slot + 1) * classes) : null;
}

/** Log-probabilities from the sums over all n-grams. */
function combine(network, learntSum, countedSum) {
  const normed = layerNorm(learntSum, network.normScale, network.normShift);
  const hidden = dense(network.hiddenWeight, network.hiddenBias, normed).map((value) => Math.max(value, 0));
  const learnt = logSoftmax(dense(network.outputWeight, network.outputBias, hidden));
  const counted = logSoftmax(countedSum);
  const temperature = network.temperature ? network.temperature[0] : 1;
  return logSoftmax(learnt.map((value, index) => (value + network.share * (counted[index] - value)) / temperature));
}

/**
 * Log-probabilities of the languages, and the part of each n-gram in them: how much less (or
 * more) likely each language is without it. A word that is `byHeart` is not judged by its n-grams.
 */
export function ngramBag(network, letters, indices) {
  const numbers = withEdges(network, indices);
  const grams = gramsOf(network, letters, numbers);
  const rows = grams.map((gram) => rowsOf(network, gram));
  const learnt = rows.reduce(
    (sum, row, index) => addInto(sum, row.learnt, 1, grams[index].place),
    new Float64Array(network.normScale.length),
  );
  const counted = rows.reduce((sum, row) => addInto(sum, row.counted), new Float64Array(network.classes));
  const whole = combine(network, learnt, counted);
  const parts = () =>
    grams.map(({ text, place }, index) => {
      const without = combine(
        network,
        addInto(learnt.slice(), rows[index].learnt, -1, place),
        addInto(counted.slice(), rows[index].counted, -1),
      );
      return { text, says: whole.map((value, language) => value - without[language]) };
    });
  const remembered = recall(network, numbers);
  return { logProbabilities: remembered ? logSoftmax(remembered) : whole, parts, byHeart: remembered !== null };
}
