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

  slider.addEventListener("input", everyFrame(show));
  show();
}
