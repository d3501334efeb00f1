// The first half of "Curve": a training as it went, epoch by epoch.

import { byId, everyFrame } from "./dom.js";
import { drawFit } from "./fit_charts.js";
import { data } from "./page.js";
import { recallNumber, remember } from "./state.js";

const { curve } = data;

/** The fit at any x, between the places that are kept. */
function between(xs, fit, x) {
  const step = (xs[xs.length - 1] - xs[0]) / (xs.length - 1);
  const index = Math.min(Math.max(Math.floor((x - xs[0]) / step), 0), xs.length - 2);
  const share = (x - xs[index]) / step;
  return fit[index] + share * (fit[index + 1] - fit[index]);
}

const NEAR = 0.1; // of the curve's deviation: what the eye takes for fitted

const meanSquare = (numbers) => numbers.reduce((sum, value) => sum + value * value, 0) / numbers.length;

/** The epoch from which on the fit stays near the points: in the middle half of x, and at its ends. */
function learnt() {
  const { x, y } = curve.points;
  const [low, high] = [Math.min(...x), Math.max(...x)];
  const isMiddle = (value) => Math.abs(value - (low + high) / 2) < (high - low) / 4;
  const mean = y.reduce((sum, value) => sum + value, 0) / y.length;
  const limit = NEAR ** 2 * meanSquare(y.map((value) => value - mean));
  return [true, false].map((middle) => {
    const far = curve.fits.map((fit) => meanSquare(x.flatMap((value, index) => (isMiddle(value) === middle ? [between(curve.x, fit, value) - y[index]] : []))));
    const last = far.findLastIndex((error) => !(error <= limit));
    return curve.epochs[last + 1] ?? null;
  });
}

/** The answer to the part's question, for the training that is shown. */
function told() {
  const [middle, ends] = learnt();
  const when = (epoch) => (epoch === null ? "was never learnt" : `was learnt for good in epoch ${epoch}`);
  const first = middle === ends ? "Neither" : (middle ?? Infinity) < (ends ?? Infinity) ? "The middle" : "The ends";
  return `${first}, in this training. Say that a part is learnt when its mean error is a tenth of the curve’s spread. The middle half ${when(middle)}, what lies outside it ${when(ends)}.`;
}

export function startHistory() {
  const slider = byId("epoch");
  const last = curve.epochs.length - 1;
  slider.max = String(last);
  slider.value = String(recallNumber("epoch", last, 0, last));
  const every = { adam: `learning rate ${curve.lr}`, lm: "Levenberg-Marquardt" }[curve.optimizer];
  byId("curve-about").textContent = `A network of 901 numbers learnt ${curve.function ?? curve.name} in ${curve.epochs[last]} epochs (${curve.activation}, ${every}). Move the slider back to see how.`;

  function show() {
    const at = Number(slider.value);
    const fit = curve.fits[at];
    const residual = curve.points.x.map((x, index) => between(curve.x, fit, x) - curve.points.y[index]);
    byId("epoch-value").textContent = `${curve.epochs[at]}: loss ${curve.losses[at].toPrecision(2)}`;
    remember("epoch", at === last ? "" : at);
    drawFit("history", {
      x: curve.x, fit, residual, points: curve.points, dots: curve.function === null,
      epochs: curve.epochs, losses: curve.losses, last: curve.epochs[last], now: curve.epochs[at],
    });
  }

  byId("curve-told").textContent = told();
  slider.addEventListener("input", everyFrame(show));
  show();
}
