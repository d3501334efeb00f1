// The second half of "Curve": training in the page, with the reader's settings and points.

import { curveAt, halfMse, startTraining, trainStep } from "../engine/curve.js";
import { around } from "./chart.js";
import { showCode } from "./code.js";
import { byId, fillSelect } from "./dom.js";
import { drawFit } from "./fit_charts.js";
import { even, FUNCTIONS, HIGH, LOW } from "./functions.js";
import { recall, recallNumber, remember } from "./state.js";

const [EPOCHS, BATCH] = [100, 128]; // as `dlproj train-regression` has them
const [TRAIN, TEST, DRAWN] = [2048, 257, 129]; // points
const FRAME = 25; // milliseconds of training between two pictures
const FEWEST = 3; // own points to begin with
const MINE = "my own points";

/** Numbers in pairs, a pair a line; lines that are none are left out. */
function parsePoints(text) {
  const rows = text.split("\n").map((line) => line.trim().split(/[\s,;]+/).map(Number));
  return rows.filter((row) => row.length === 2 && row.every((value) => Number.isFinite(value) && Math.abs(value) < 1e6));
}

export function startLive() {
  const [rateInput, kind, activation, schedule] = ["live-lr", "live-function", "live-activation", "live-schedule"].map(byId);
  fillSelect(kind, [...Object.keys(FUNCTIONS), MINE]);
  let own = parsePoints(recall("points").replaceAll("_", "\n"));
  let training = null;
  let test = null;
  let losses = [];
  let running = false;
  const lr = () => Number((10 ** Number(rateInput.value)).toPrecision(2));
  const mine = () => kind.value === MINE;

  /** What to learn, and what to be scored on. */
  function problem() {
    if (mine()) {
      const [x, y] = [0, 1].map((side) => own.map((point) => point[side]));
      return { x, y, test: { x, y } };
    }
    const [x, places] = [even(TRAIN), even(TEST)];
    return { x, y: x.map(FUNCTIONS[kind.value]), test: { x: places, y: places.map(FUNCTIONS[kind.value]) } };
  }

  function again() {
    stop();
    const found = problem();
    test = found.test;
    losses = [];
    training = mine() && own.length < FEWEST ? null : startTraining(found.x, found.y, { activation: activation.value, lr: lr(), schedule: schedule.value, epochs: EPOCHS, batch: BATCH, seed: 0, scale: mine() });
    if (training) losses.push(halfMse(training, test.x, test.y));
    settingsShown();
    show();
  }

  function settingsShown() {
    byId("live-lr-value").textContent = String(lr());
    remember("function", kind.value);
    remember("lr", rateInput.value);
    remember("activation", activation.value);
    remember("schedule", schedule.value);
    remember("points", own.map(([x, y]) => `${Number(x.toPrecision(4))},${Number(y.toPrecision(4))}`).join("_"));
    codeOf(kind.value, lr(), activation.value, schedule.value);
  }

  function show() {
    const [x, y] = mine() ? [own.map((point) => point[0]), own.map((point) => point[1])] : [test.x, test.y];
    const bounds = mine() ? [around([...x, -1, 1], 0.1), around([...y, -1, 1], 0.2)] : [[LOW, HIGH], around(y, 0.25)];
    const places = even(DRAWN, ...bounds[0]);
    const at = (value) => (training ? curveAt(training, value) : NaN);
    drawFit("live", {
      x: places, fit: places.map(at), residual: x.map((value, index) => at(value) - y[index]), points: { x, y }, dots: mine(), bounds,
      epochs: losses.map((_, epoch) => epoch), losses, last: EPOCHS, now: training?.epoch ?? 0, clicked: mine() ? addPoint : undefined,
    });
    byId("live-answer").textContent = said();
    byId("train").textContent = running ? "Pause" : "Train";
    for (const id of ["train", "train-step"]) byId(id).disabled = !training || training.epoch >= EPOCHS || failed();
  }

  const failed = () => !Number.isFinite(losses[losses.length - 1] ?? 0);

  function said() {
    if (!training) return `Click in the first chart. It takes ${FEWEST} points to train; there are ${own.length}.`;
    if (failed()) return "The loss is no number any more: the learning rate is too high.";
    return `Epoch ${training.epoch} of ${EPOCHS}: loss ${losses[losses.length - 1].toPrecision(3)}.`;
  }

  /** Train to the end of the epoch. */
  function epoch() {
    while (!trainStep(training));
    losses.push(halfMse(training, test.x, test.y));
  }

  function stop() {
    running = false;
  }

  function frame() {
    if (!running) return;
    const until = performance.now() + FRAME;
    while (performance.now() < until && training.epoch < EPOCHS && !failed()) epoch();
    if (training.epoch >= EPOCHS || failed()) stop();
    show();
    requestAnimationFrame(frame);
  }

  function addPoint(x, y) {
    own.push([x, y]);
    again();
  }

  byId("train").addEventListener("click", () => {
    running = !running;
    show();
    frame();
  });
  byId("train-step").addEventListener("click", () => {
    epoch();
    show();
  });
  byId("train-again").addEventListener("click", again);
  for (const select of [kind, activation, schedule]) select.addEventListener("change", again);
  rateInput.addEventListener("input", again);
  byId("take-points").addEventListener("click", () => {
    own = parsePoints(byId("points").value);
    kind.value = MINE;
    byId("points-done").textContent = `${own.length} points taken.`;
    again();
  });
  byId("clear-points").addEventListener("click", () => {
    own = [];
    byId("points-done").textContent = "No points are left.";
    again();
  });

  const wanted = recall("function", "sin");
  kind.value = [...kind.options].some(({ value }) => value === wanted) ? wanted : "sin";
  activation.value = recall("activation") === "tanh" ? "tanh" : "relu";
  schedule.value = recall("schedule") === "constant" ? "constant" : "one-cycle";
  rateInput.value = String(recallNumber("lr", -1.7, -4, 0));
  again();
}

function codeOf(kind, lr, activation, schedule) {
  const own = kind === MINE;
  const data = own ? "--data points.csv" : `--function ${kind}`;
  const argument = own ? 'data="points.csv"' : `function="${kind}"`;
  showCode("curve", `dlproj train-regression ${data} --lr ${lr} --activation ${activation} --schedule ${schedule}`, [
    "import dlproj",
    "",
    `run = dlproj.train_regression(${argument}, lr=${lr}, activation="${activation}", schedule="${schedule}")`,
    'print(run.metrics["test_loss"])',
  ]);
}
