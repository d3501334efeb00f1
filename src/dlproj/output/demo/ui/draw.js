// The part "Draw": a drawing, an example or a picture, and what the network makes of it.

import { logitsOf } from "../engine/network.js";
import { prepare } from "../engine/preparation.js";
import { argmax, softmax } from "../engine/softmax.js";
import { makeBars } from "./bars.js";
import { showCode } from "./code.js";
import { byId, element, fillSelect, percent } from "./dom.js";
import { makeGallery, readExamples } from "./examples.js";
import { showLayers, speaks } from "./inside.js";
import { about, data } from "./page.js";
import { makePaper } from "./paper.js";
import { paintGrey, paintSigned } from "./pixels.js";
import { recall, remember } from "./state.js";
import { strokesToText, textToStrokes } from "./strokes.js";
import { onSubject, setSubject, subject } from "./subject.js";

const NOTHING = new Float32Array(784);

/** Bytes of a picture as text for a link, and back. */
const pixelsToText = (pixels) => btoa(String.fromCharCode(...pixels.map((value) => Math.round(255 * value)))).replaceAll("+", "-").replaceAll("/", "_");

function textToPixels(text) {
  try {
    const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return bytes.length === 784 ? Float32Array.from(bytes, (letter) => letter.charCodeAt(0) / 255) : null;
  } catch {
    return null;
  }
}

/** Start the part; returns `choose`, which takes an example by its index. */
export function startDraw(network) {
  const { labels } = about.digits;
  const examples = readExamples(data.examples, labels);
  const showBars = makeBars(byId("draw-bars"), labels, "Probability of each answer");
  const paper = makePaper(byId("paper"), () => Number(byId("pen").value), inkChanged);
  const mark = makeGallery(byId("examples"), examples, choose);

  function choose(index) {
    const { pixels, label } = examples[index];
    paper.show(pixels);
    remember("drawing", "");
    remember("pixels", "");
    remember("example", index);
    setSubject({ pixels, label, source: "example", example: index });
  }

  function inkChanged({ strokes, picture }) {
    const bytes = prepare(paper.ink(), byId("paper").width);
    const pixels = bytes && Float32Array.from(bytes, (byte) => byte / 255);
    remember("example", "");
    remember("drawing", picture ? "" : strokesToText(strokes));
    remember("pixels", picture && pixels ? pixelsToText(pixels) : "");
    setSubject({ pixels, source: picture ? "picture" : pixels ? "drawing" : "nothing" });
  }

  function show({ pixels, label, example }) {
    mark(example ?? -1);
    paintGrey(byId("seen"), pixels ?? NOTHING);
    const probabilities = pixels && softmax(logitsOf(network, pixels));
    showBars(probabilities);
    byId("draw-answer").replaceChildren(...answer(probabilities, labels, label));
    if (probabilities) byId("speaks-class").value = String(argmax(probabilities));
    showInside();
  }

  function showInside() {
    const pixels = subject().pixels ?? NOTHING;
    if (byId("inside").open) showLayers(byId("layers"), network, pixels);
    if (!byId("speaks").open) return;
    const chosen = byId("speaks-class").selectedIndex;
    paintSigned(byId("speaks-map"), speaks(network, pixels, chosen));
    byId("speaks-map").setAttribute("aria-label", `Which pixels speak for ${labels[chosen]}`);
  }

  fillSelect(byId("speaks-class"), labels.map((_, index) => index), labels);
  byId("speaks-class").addEventListener("change", showInside);
  for (const id of ["inside", "speaks"]) byId(id).addEventListener("toggle", showInside);
  byId("undo").addEventListener("click", paper.undo);
  byId("clear").addEventListener("click", paper.clear);
  takePictures(paper);
  onSubject(show);
  codeOf(about.digits);
  if (!["4", "9"].every((name) => labels.includes(name))) byId("draw-question").textContent = "What else does the network take for what it knows?";
  begin(paper, choose, examples);
  return { choose, count: examples.length };
}

/** The answer in words. */
function answer(probabilities, labels, label) {
  if (!probabilities) return ["Draw something."];
  const best = argmax(probabilities);
  const wrong = label !== null && label !== best ? ` It is a ${labels[label]}.` : "";
  return ["It reads ", element("strong", {}, labels[best]), ` (${percent(probabilities[best])}).${wrong}`];
}

/** Pictures: opened, dropped on the surface, or pasted anywhere in the part. */
function takePictures(paper) {
  const canvas = byId("paper");
  const take = async (files) => {
    const file = [...files].find(({ type }) => type.startsWith("image/"));
    if (!file) return;
    try {
      await paper.open(file);
    } catch {
      byId("draw-answer").textContent = "This file cannot be read as a picture.";
    }
  };
  byId("picture").addEventListener("change", (event) => take(event.target.files));
  document.addEventListener("paste", (event) => {
    if (!byId("draw").hidden) take(event.clipboardData.files);
  });
  for (const kind of ["dragover", "dragleave", "drop"])
    canvas.addEventListener(kind, (event) => {
      event.preventDefault();
      canvas.classList.toggle("over", kind === "dragover");
      if (kind === "drop") take(event.dataTransfer.files);
    });
}

/** The example to begin with: a 4, of which the part asks, or any that is read rightly. */
function firstExample(examples) {
  const four = examples.findIndex(({ mistake, name }) => !mistake && name === "4");
  return four < 0 ? examples.findIndex(({ mistake }) => !mistake) : four;
}

/** What the link holds, or else an example. */
function begin(paper, choose, examples) {
  const strokes = textToStrokes(recall("drawing"));
  const pixels = textToPixels(recall("pixels"));
  const index = Number.parseInt(recall("example"), 10);
  if (strokes.length) paper.set(strokes);
  else if (pixels) {
    paper.show(pixels);
    setSubject({ pixels, source: "picture" });
  } else choose(index in examples ? index : Math.max(firstExample(examples), 0));
}

function codeOf({ run, command }) {
  const model = run ? ` --model ${run}` : "";
  const argument = run ? `, model=${JSON.stringify(run)}` : "";
  showCode("draw", `${command}\ndlproj predict-digit picture.png${model}`, [
    "import dlproj",
    "",
    `(found,) = dlproj.predict_digits(["picture.png"]${argument})`,
    "print(found.label, found.probabilities)",
  ]);
}
