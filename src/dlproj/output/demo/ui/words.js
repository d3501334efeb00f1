// The part "Words": the language of a word, and which of its n-grams say so.

import { readText } from "../engine/languages.js";
import { argmax } from "../engine/softmax.js";
import { makeBars } from "./bars.js";
import { showCode } from "./code.js";
import { byId, element, everyFrame, percent } from "./dom.js";
import { about, data } from "./page.js";
import { recall, remember } from "./state.js";

const CHIPS = 6; // n-grams that are shown for each language
const HINTS = {
  letter: "How much each letter speaks for a language: what is lost, in logarithms, when it is blotted out.",
  "n-gram": "Which n-grams speak for which language: what is lost, in logarithms, without one. _ is the word’s edge.",
  word: "How much each word speaks for a language, in logarithms, more than for the others.",
};
const LEAST = 0.02; // of a logarithm; what says less says nothing

export function startWords(network) {
  const { labels } = about.words;
  const input = byId("word");
  const showBars = makeBars(byId("word-bars"), labels, "Probability of each language");

  function show() {
    const word = input.value.trim();
    remember("word", word);
    codeOf(word || "word");
    if (!word) {
      showBars(null);
      byId("word-answer").textContent = "Type a word.";
      byId("word-parts").replaceChildren();
      return;
    }
    const read = readText(network, word);
    showBars(read.known ? read.probabilities : null);
    byId("word-answer").replaceChildren(...answer(read, labels));
    byId("word-parts").replaceChildren(...(read.known ? partsTable(read, labels) : []));
  }

  byId("word-samples").replaceChildren(
    ...data.words.map((word) =>
      element("button", { type: "button", click: () => {
        input.value = word;
        show();
      } }, word),
    ),
  );
  input.value = recall("word", data.words[0] ?? "");
  input.addEventListener("input", everyFrame(show));
  byId("list").addEventListener("input", everyFrame(() => showList(network, labels)));
  show();
}

function answer({ probabilities, known, byHeart }, labels) {
  if (!known) return ["The network knows none of these letters."];
  const best = argmax(probabilities);
  return ["It says ", element("strong", {}, labels[best]), ` (${percent(probabilities[best])}).${byHeart ? " It knows this word by heart." : ""}`];
}

/** For each language, the parts of the word that raise its probability the most over all others. */
function partsTable({ parts, unit }, labels) {
  const found = parts();
  const rows = labels.map((label, language) => {
    const speaking = found
      .map(({ text, says }) => ({ text, weight: says[language] - mean(says) }))
      .filter(({ weight }) => weight > LEAST)
      .sort((a, b) => b.weight - a.weight)
      .slice(0, CHIPS);
    const chips = speaking.map(({ text, weight }) =>
      element("span", { class: "chip" }, text, " ", element("small", {}, `+${weight.toFixed(weight < 1 ? 2 : 1)}`)),
    );
    return element("tr", {}, element("th", { scope: "row" }, label), element("td", {}, ...(chips.length ? chips : ["–"])));
  });
  return [element("p", { class: "hint" }, HINTS[unit]), element("table", { class: "parts", "aria-label": `What each ${unit} says` }, element("tbody", {}, ...rows))];
}

const mean = (numbers) => numbers.reduce((a, b) => a + b, 0) / numbers.length;

/** A table of the words that were pasted. */
function showList(network, labels) {
  const words = byId("list").value.split(/\s+/).filter(Boolean).slice(0, 1000);
  const rows = words.map((word) => {
    const { probabilities, known } = readText(network, word);
    const best = argmax(probabilities);
    const cells = known ? [labels[best], percent(probabilities[best])] : ["unknown", ""];
    return element("tr", {}, ...[word, ...cells].map((text) => element("td", {}, text)));
  });
  const head = element("tr", {}, ...["Word", "Language", "Probability"].map((text) => element("th", { scope: "col" }, text)));
  byId("list-table").replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
}

function codeOf(word) {
  const { run, command } = about.words;
  const quoted = `'${word.replaceAll("'", "'\\''")}'`;
  showCode("words", `${command}\ndlproj predict-langid ${quoted}${run ? ` --model ${run}` : ""}`, [
    "import dlproj",
    "",
    `(found,) = dlproj.predict_langid([${JSON.stringify(word)}]${run ? `, model=${JSON.stringify(run)}` : ""})`,
    "print(found.label, found.probabilities)",
  ]);
}
