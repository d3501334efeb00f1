// Starts the page: each part when it is first opened.

import { fgsm, pgd } from "../engine/attacks.js";
import { readText } from "../engine/languages.js";
import { logitsOf } from "../engine/network.js";
import { prepare } from "../engine/preparation.js";
import { softmax } from "../engine/softmax.js";
import { startBatchnorm } from "./batchnorm.js";
import { startCode } from "./code.js";
import { copyText } from "./copy.js";
import { byId } from "./dom.js";
import { startDraw } from "./draw.js";
import { startFool } from "./fool.js";
import { startHistory } from "./history.js";
import { startLive } from "./live.js";
import { about, network } from "./page.js";
import { linkHere } from "./state.js";
import { makeTabs } from "./tabs.js";
import { startWords } from "./words.js";

/** What the page computes, for tests and for the curious. */
window.dlproj = {
  /** 784 numbers in [0, 1], white ink on black, to ten probabilities; `which` is digits or robust. */
  digits: async (pixels, which = "digits") => [...softmax(logitsOf(await network(which), Float32Array.from(pixels)))],
  /** The 784 numbers of FGSM. */
  attack: async (pixels, label, epsilon, which = "digits") => [...fgsm(await network(which), Float32Array.from(pixels), label)(epsilon)],
  /** The same of PGD. */
  pgd: async (pixels, label, epsilon, steps = 10, which = "digits") => [...pgd(await network(which), Float32Array.from(pixels), label, steps)(epsilon)],
  /** A word to {language: probability}. */
  language: async (word) => {
    const { probabilities } = readText(await network("words"), word);
    return Object.fromEntries(about.words.labels.map((label, index) => [label, probabilities[index]]));
  },
  /** Ink of a drawing, a byte for each pixel, to 784 bytes; null if nothing is drawn. */
  prepare: (ink, width) => {
    const bytes = prepare(Uint8Array.from(ink), width);
    return bytes && [...bytes];
  },
};

const draw = network("digits").then(startDraw);

async function fool() {
  const names = ["digits", "robust"].filter((name) => name in about);
  const networks = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await network(name)])));
  return startFool(networks, await draw);
}

const PARTS = {
  draw: () => draw,
  fool,
  words: async () => startWords(await network("words")),
  curve: () => {
    startHistory();
    startLive();
  },
  batchnorm: startBatchnorm,
};
const started = new Map();

/** Start a part; one that is started already may have returned how to catch up. */
async function opened(name) {
  try {
    if (!started.has(name)) {
      started.set(name, PARTS[name]());
      await started.get(name);
      return;
    }
    const catchUp = await started.get(name);
    if (typeof catchUp === "function") catchUp();
  } catch (error) {
    byId("trouble").hidden = false;
    byId("trouble").textContent = `This browser cannot show this part (${error.message}). One of 2023 or later can.`;
    throw error;
  }
}

startCode();
makeTabs(document.querySelector("[role=tablist]"), opened);
byId("link").addEventListener("click", () => copyText(linkHere(), byId("link-done")));
