// Where a picture has ink, whatever the paper and the light: `dlproj.data.pictures.ink`.

import { cut, gridOf, mapped, shorterSide, wider } from "./grid.js";
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
  const box = { left: 0, top: 0, width: grey.width, height: grey.height };
  const within = { ...box, left: side, top: side };
  return cut(closed(cut(grey, wider(box, side)), side), within);
}

/** How much darker than its paper each pixel is; what is wider than a share `widest` is no stroke. */
export function inkOf(grey, widest) {
  const paper = paperOf(grey, Math.max(3, Math.trunc(widest * shorterSide(grey))));
  const darker = mapped(grey, (value, place) => paper.values[place] - value);
  const middle = quantile(darker.values, 0.5);
  for (let place = 0; place < darker.values.length; place++) darker.values[place] -= middle;
  const noise = DEVIATIONS * 1.4826 * quantile(darker.values.map(Math.abs), 0.5);
  return mapped(darker, (value, place) => {
    const ink = Math.max(0, value) / (paper.values[place] + BLACK);
    return value < noise || ink < FAINTEST ? 0 : ink;
  });
}

/** The same where the paper is as bright everywhere, so that ink may be of any width. */
export function inkOnEvenPaper(grey) {
  const paper = quantile(grey.values, BRIGHT);
  return mapped(grey, (value) => {
    const ink = 1 - (value + BLACK) / (paper + BLACK);
    return ink < FAINT ? 0 : ink;
  });
}

/** How much brighter each pixel is than the darkest near it, measured as ink is. */
export function riseOf(grey) {
  const darkest = eroded(grey, 2 * (3 * edgeWidth(grey) + 2) + 1);
  return mapped(grey, (value, place) => 1 - (darkest.values[place] + BLACK) / (value + BLACK));
}

/** Over how many pixels a picture goes from ink to paper. */
export const edgeWidth = (grid) => roundHalfEven(shorterSide(grid) / 150) + 1;
