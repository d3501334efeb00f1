// What language a word is of, by the network that the page holds.

import { charGru } from "./gru.js";
import { encode, spell } from "./letters.js";
import { ngramBag } from "./ngrams.js";
import { softmax } from "./softmax.js";

const KINDS = { CharGRU: charGru, NgramBag: ngramBag };
const GRU_TENSORS = { weight_ih: "inputWeight", weight_hh: "stateWeight", bias_ih: "inputBias", bias_hh: "stateBias" };

/** A language network from its description and its tensors. */
export function buildLanguages(about, tensors) {
  const network = { ...about, ...tensors, alphabet: [...about.alphabet] };
  if (about.kind === "CharGRU")
    network.layers = Array.from({ length: about.layers }, (_, layer) =>
      (about.bidirectional ? ["", "_reverse"] : [""]).map((way) =>
        Object.fromEntries(
          Object.entries(GRU_TENSORS).map(([name, key]) => [key, tensors[`${name}_l${layer}${way}`]]),
        ),
      ),
    );
  return network;
}

// Letters, with their marks and with invisible characters.
const WORD = /\p{L}[\p{L}\p{M}\p{Cf}]*(?:['’-]\p{L}[\p{L}\p{M}\p{Cf}]*)*/gu;
const DOUBT = 0.02; // of a word in a phrase: it may stand in any language, as names do

/**
 * Probabilities of a word's languages, in the order of `network.labels`; and `parts()`, which says
 * of each n-gram (or letter) how much it raises each language's log-probability.
 */
export function readWord(network, word) {
  const spelt = spell(word, network.alphabet);
  const indices = encode(spelt, network.alphabet);
  const letters = spelt.slice(0, indices.length);
  const known = indices.some((index) => index >= 0);
  const { logProbabilities, parts, byHeart } = KINDS[network.kind](network, letters, indices);
  const probabilities = logProbabilities.map((value) => (known ? Math.exp(value) : 0));
  return { probabilities, parts, byHeart, known, unit: network.kind === "CharGRU" ? "letter" : "n-gram" };
}

/** What a word of a phrase says: logarithms of its probabilities, if they are not quite trusted. */
const evidence = (probabilities) => probabilities.map((share) => Math.log(share + DOUBT * (1 / probabilities.length - share)));

/** The same for a text; one of several words is their product (naive Bayes), each word a part. */
export function readText(network, text) {
  if (text.trim().split(/\s+/).length < 2) return readWord(network, text);
  const words = (text.normalize("NFC").match(WORD) ?? []).map((word) => ({ text: word, ...readWord(network, word) }));
  const known = words.some((word) => word.known);
  const said = words.map(({ text: word, probabilities }) => ({ text: word, says: evidence(probabilities) }));
  const sums = network.labels.map((_, language) => said.reduce((sum, { says }) => sum + says[language], 0));
  return { probabilities: softmax(sums).map((share) => (known ? share : 0)), parts: () => said, byHeart: false, known, unit: "word" };
}
