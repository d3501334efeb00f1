// Where a picture has ink, whatever the paper and the light: `dlproj.data.pictures.ink`.

import { cut, gridOf, padded, shorterSide } from "./grid.js";
import { blurred } from "./gaussian.js";
import { median } from "./median.js";
import { quantile, roundHalfEven } from "./numbers.js";
import { closed, eroded } from "./windows.js";

const FAINTEST = 0.04; // of the paper's brightness; fainter is none
const DEVIATIONS = 4.5; // of the noise; ink is beyond
const FAINT = 0.15; // the same where nothing but even paper is looked for
const BRIGHT = 0.95; // of the pixels are darker than even paper
const BLACK = 0.04; // no ratio is taken to less brightness than this
const SPECKLED_SIDE = 200; // from here on, a stroke is wider than a speck

/** Brightness without noise and dust. */
export function smooth(grey) {
  const quiet = shorterSide(grey) >= SPECKLED_SIDE ? gridOf(median(grey.values, grey.width), grey.width) : grey;
  return blurred(quiet, shorterSide(grey) / 500);
}

/** How bright the paper is under strokes narrower than a square; beyond the edges it is dark. */
function paperOf(grey, side) {
  const beyond = side >> 1; // windows around the picture's pixels reach no further
  const within = { left: beyond, top: beyond, width: grey.width, height: grey.height };
  return cut(closed(padded(grey, beyond), side), within);
}

/** How much darker than its paper each pixel is; what is wider than a share `widest` is no stroke. */
export function inkOf(grey, widest) {
  const paper = paperOf(grey, Math.max(3, Math.trunc(widest * shorterSide(grey))));
  const darker = new Float32Array(paper.values.length);
  for (let place = 0; place < darker.length; place++) darker[place] = paper.values[place] - grey.values[place];
  const middle = quantile(darker, 0.5);
  const sizes = new Float32Array(darker.length);
  for (let place = 0; place < darker.length; place++) {
    darker[place] -= middle;
    sizes[place] = Math.abs(darker[place]);
  }
  const noise = DEVIATIONS * 1.4826 * quantile(sizes, 0.5);
  for (let place = 0; place < darker.length; place++) {
    const ink = Math.max(0, darker[place]) / (paper.values[place] + BLACK);
    darker[place] = darker[place] < noise || ink < FAINTEST ? 0 : ink;
  }
  return { ...grey, values: darker };
}

/** The same where the paper is as bright everywhere, so that ink may be of any width. */
export function inkOnEvenPaper(grey) {
  const paper = quantile(grey.values, BRIGHT);
  const values = new Float32Array(grey.values.length);
  for (let place = 0; place < values.length; place++) {
    const ink = 1 - (grey.values[place] + BLACK) / (paper + BLACK);
    if (ink >= FAINT) values[place] = ink;
  }
  return { ...grey, values };
}

/** How much brighter each pixel is than the darkest near it, measured as ink is. */
export function riseOf(grey) {
  const { values } = eroded(grey, 2 * (3 * edgeWidth(grey) + 2) + 1);
  for (let place = 0; place < values.length; place++) values[place] = 1 - (values[place] + BLACK) / (grey.values[place] + BLACK);
  return { ...grey, values };
}

/** Over how many pixels a picture goes from ink to paper. */
export const edgeWidth = (grid) => roundHalfEven(shorterSide(grid) / 150) + 1;
