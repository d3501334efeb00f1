// A drawing made to look like MNIST's digits, as `dlproj predict-digit` prepares pictures:
// `dlproj.data.pictures.find`, for one channel of brightness, and its largest digit.

import { count, cut, gridOf, mapped, masked, positive, shorterSide, wider } from "./pictures/grid.js";
import { digitsAmong } from "./pictures/digits.js";
import { inkOf, inkOnEvenPaper, riseOf, smooth } from "./pictures/ink.js";
import { spread } from "./pictures/masks.js";
import { mnistImage } from "./pictures/mnist.js";
import { largest, roundHalfEven } from "./pictures/numbers.js";
import { HALF, partsOf } from "./pictures/parts.js";
import { filled, joined } from "./pictures/regions.js";
import { resize } from "./pictures/resample.js";
import { rulings } from "./pictures/rulings.js";
import { onPaper } from "./pictures/surroundings.js";

// Windows that strokes fit into, of the picture's shorter side, and how far each is trusted.
const WIDEST = [[0.18, 1], [0.35, 0.25]];
const EVEN = 0.8; // how far it is trusted that the paper is even, and the picture cut to its digit
const WORKING_SIDE = 200; // smaller pictures are enlarged to it

/**
 * What the network sees of a drawing: 784 bytes, or null if it has no digit.
 * @param {Uint8Array} drawing ink of each pixel, 255 is black on white paper
 */
export function prepare(drawing, width) {
  const quiet = smooth(enlarged(brightness(drawing, width)));
  const sides = [quiet, negative(quiet)];
  const views = sides.flatMap(viewsOf).filter(({ digits }) => digits.length);
  if (!views.length) return null;
  const view = largest(views, ({ trust, digits }) => trust * digits.reduce((sum, group) => sum + sizeOf(group), 0));
  return imageOf(view, largest(inOrder(view.digits), sizeOf));
}

/** Of white paper under the ink, in [0, 1]. */
function brightness(drawing, width) {
  const values = new Float32Array(drawing.length);
  for (let place = 0; place < values.length; place++) values[place] = (255 - drawing[place]) / 255;
  return gridOf(values, width);
}

function negative({ values, width }) {
  const result = new Float32Array(values.length);
  for (let place = 0; place < values.length; place++) result[place] = 1 - values[place];
  return gridOf(result, width);
}

function enlarged(grey) {
  const ratio = Math.max(1, WORKING_SIDE / shorterSide(grey));
  if (ratio === 1) return grey;
  const larger = resize(grey, roundHalfEven(grey.width * ratio), roundHalfEven(grey.height * ratio), false);
  return mapped(larger, (value) => Math.min(1, Math.max(0, value)));
}

/** A picture with dark ink seen in three ways: {ink, deep, digits, trust}, as `View` in Python. */
function viewsOf(quiet) {
  const rise = riseOf(quiet);
  const inks = WIDEST.map(([widest]) => inkOf(quiet, widest));
  const deep = inks.at(-1);
  const views = inks.map((whole, index) => {
    const ink = withoutRulings(whole);
    const digits = digitsAmong(partsOf(ink, rise), ink).filter((group) => onPaper(group, quiet));
    return { ink, deep, digits, trust: WIDEST[index][1] };
  });
  const ink = inkOnEvenPaper(quiet);
  return [...views, { ink, deep, digits: digitsAmong(partsOf(ink, null), ink, true), trust: EVEN }];
}

function withoutRulings(ink) {
  const lines = rulings(positive(ink));
  if (!lines || !count(lines)) return ink;
  const near = spread(lines, 3).values;
  return mapped(ink, (value, place) => (near[place] ? 0 : value));
}

/** The box around some parts. */
function boxAround(group) {
  const [left, top] = [Math.min(...group.map((part) => part.left)), Math.min(...group.map((part) => part.top))];
  const right = Math.max(...group.map((part) => part.left + part.width));
  const bottom = Math.max(...group.map((part) => part.top + part.height));
  return { left, top, right, bottom };
}

/** The longer side of the box around some parts. */
function sizeOf(group) {
  const { left, top, right, bottom } = boxAround(group);
  return Math.max(right - left, bottom - top);
}

/** From left to right, line by line: a line goes down as far as its first digit does. */
function inOrder(groups) {
  let waiting = groups.map((group) => ({ group, ...boxAround(group) })).sort((a, b) => a.top - b.top);
  const ordered = [];
  while (waiting.length) {
    const middle = (waiting[0].top + waiting[0].bottom) / 2;
    ordered.push(...waiting.filter(({ top }) => top <= middle).sort((a, b) => a.left - b.left));
    waiting = waiting.filter(({ top }) => top > middle);
  }
  return ordered.map(({ group }) => group);
}

/** The ink of a digit's parts, with the soft edges around them, as 784 bytes. */
function imageOf(view, group) {
  const strength = Math.max(...group.map((part) => part.strength));
  const { left, top, mask: own } = joined(group, view.ink);
  const around = wider({ left: 0, top: 0, width: own.width, height: own.height }, 2);
  const of = (grid) => cut(cut(grid, { left, top, width: own.width, height: own.height }), around);
  const [mask, ink, deep] = [cut(own, around), of(view.ink), of(view.deep)];
  const holes = filled(mask).values;
  const inside = masked(mask, (value, place) => value | (holes[place] & Number(deep.values[place] > HALF * strength)));
  const near = spread(inside, 5).values;
  return mnistImage(
    mapped(ink, (value, place) => {
      const kept = near[place] ? value : 0;
      return Math.min(1, (inside.values[place] ? Math.max(kept, deep.values[place]) : kept) / strength);
    }),
  );
}
