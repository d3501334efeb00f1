// What language a word is of, by the network that the page holds.

import { charGru } from "./gru.js";
import { encode, spell } from "./letters.js";
import { ngramBag } from "./ngrams.js";

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

/**
 * Probabilities of a word's languages, in the order of `network.labels`, all 0 if no letter is known; and `parts()`, which says
 * of each n-gram (or letter) how much it raises each language's log-probability.
 */
export function readWord(network, word) {
  const letters = spell(word);
  const indices = encode(letters, network.alphabet);
  const { logProbabilities, parts } = KINDS[network.kind](network, letters, indices);
  const known = indices.some((index) => index >= 0);
  return {
    probabilities: logProbabilities.map((value) => (known ? Math.exp(value) : 0)),
    parts,
    known,
    unit: network.kind === "CharGRU" ? "letter" : "n-gram",
  };
}
