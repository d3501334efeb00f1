// Three charts of a fit: the curve, what is left of it, and the loss so far.

import { around, drawChart } from "./chart.js";

/**
 * @param {string} name of the places: `name`-fit, `name`-residual and `name`-loss
 * @param {{x: number[], fit: number[], points: {x: number[], y: number[]}, dots: boolean,
 *   epochs: number[], losses: number[], last: number, now: number, bounds?: number[][],
 *   clicked?: Function}} state `points` is what to fit, as a line or as dots; `fit` is at `x`;
 *   `residual` is fit minus points, at the points' x
 */
export function drawFit(name, state) {
  const { x, fit, points, dots, residual, epochs, losses, last, now } = state;
  const place = (part) => document.getElementById(`${name}-${part}`);
  const pair = (across, up) => across.map((value, index) => [value, up[index]]);
  const [xBounds, yBounds] = state.bounds ?? [around(points.x, 0), around(points.y, 0.25)];
  const target = dots ? { dots: pair(points.x, points.y) } : {};
  const lines = dots ? [] : [{ name: "target", points: pair(points.x, points.y) }];
  drawChart(place("fit"), {
    ...target, title: dots ? "The points and the fit" : "The curve (dashed) and the fit", alt: `The fit at epoch ${now}`, xName: "x",
    x: xBounds, y: yBounds, lines: [...lines, { name: "fit", points: pair(x, fit) }], clicked: state.clicked,
  });
  const largest = Math.max(...residual.map(Math.abs).filter(Number.isFinite), 1e-6);
  drawChart(place("residual"), {
    title: "What is left: fit minus curve", alt: `Largest error ${largest.toPrecision(2)}`, xName: "x", x: xBounds, y: [-largest, largest],
    lines: dots ? [] : [{ name: "fit", points: pair(points.x, residual) }], dots: dots ? pair(points.x, residual) : [],
  });
  const shown = losses.filter((loss) => Number.isFinite(loss) && loss > 0);
  const bounds = [10 ** Math.floor(Math.log10(Math.min(...shown, 0.001))), 10 ** Math.ceil(Math.log10(Math.max(...shown, 0.1)))];
  drawChart(place("loss"), {
    title: "Loss (half the mean squared error)", alt: `The loss up to epoch ${now}`, xName: "epoch", x: [0, last], y: bounds, logY: true,
    lines: [{ name: "loss", points: pair(epochs, losses) }], now,
  });
}
