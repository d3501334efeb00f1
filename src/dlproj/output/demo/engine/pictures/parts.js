// The connected parts of what is drawn: `dlproj.data.pictures.parts`.

import { count, cut, masked, padded, positive, shorterSide } from "./grid.js";
import { distances } from "./distance.js";
import { edgeWidth } from "./ink.js";
import { quantile } from "./numbers.js";
import { regionsOf } from "./regions.js";

export const HALF = 0.45; // of a part's strongest ink: less is its edge, a shadow, or a fainter line
export const SMALLEST = 0.03; // of the picture's shorter side: less is dust
const CHANGE = 0.5; // of a part's strength, across its outline
const EDGES = [1, 3]; // how wide the outline may be: sharp, or out of focus
const DOUBT = 0.1; // in a soft outline
const WIDE_PEN = 0.05; // of a part's longer side: a narrower line from edge to edge is a ruling
const SIDE_COVERED = 0.9; // of a side of the picture: what covers more of it lies under the paper

/**
 * The parts of what is drawn, each down to half of its own strength.
 * @param ink grid in [0, 1]
 * @param rise how much brighter each pixel is than the darkest near it; null, if ink was not cut out
 */
export function partsOf(ink, rise) {
  const whole = { left: 0, top: 0, mask: positive(ink) };
  return split(ink, whole, 4).map((region) => describe(region, ink, rise));
}

/** A region with what is asked of it, see `Part` in Python; what takes long, only when it is asked. */
function describe({ left, top, mask, strength }, ink, rise) {
  const { width, height } = mask;
  const sides = sidesOf({ left, top, mask }, ink);
  const size = Math.max(width, height);
  const radius = once(() => radiusOf(mask));
  return {
    left, top, width, height, mask, strength, sides, size, radius,
    outlined: once(() => (rise ? outlineOf({ left, top, mask }, strength, rise) : 1)),
    area: count(mask),
    atEdge: sides.some(Boolean),
    cutOut: isCutOut(sides, size, radius),
    weight: size * strength,
  };
}

/** A function that computes its value when it is first called. */
function once(work) {
  let value;
  return () => (value ??= work());
}

/** That of the largest circle in a mask. */
function radiusOf(mask) {
  let largest = 0;
  const { values } = distances(padded(mask, 1));
  for (let place = 0; place < values.length; place++) if (values[place] > largest) largest = values[place];
  return largest;
}

/** How much of the picture's top, bottom, left and right a part covers, in [0, 1]. */
function sidesOf({ left, top, mask }, { width, height }) {
  const share = (box, side) => count(cut(mask, box)) / side;
  return [
    top === 0 ? share({ left: 0, top: 0, width: mask.width, height: 1 }, width) : 0,
    top + mask.height === height ? share({ left: 0, top: mask.height - 1, width: mask.width, height: 1 }, width) : 0,
    left === 0 ? share({ left: 0, top: 0, width: 1, height: mask.height }, height) : 0,
    left + mask.width === width ? share({ left: mask.width - 1, top: 0, width: 1, height: mask.height }, height) : 0,
  ];
}

/** Whether it may be a digit that the picture was cut to, and not a table under the paper. */
function isCutOut(sides, size, radius) {
  const [top, bottom, left, right] = sides;
  const spans = (top && bottom) || (left && right);
  const along = sides.filter((side) => side > SIDE_COVERED).length;
  return Boolean(spans && along <= Number(sides.every(Boolean)) && radius() > WIDE_PEN * size);
}

/** Share of the pixels some way outside a part that are paper, seen from the ink beside them. */
function outlineOf({ left, top, mask }, strength, rise) {
  const edge = edgeWidth(rise);
  const far = Math.max(...EDGES) * edge + 1;
  const [first, above] = [Math.max(0, left - far), Math.max(0, top - far)];
  const width = Math.min(rise.width, left + mask.width + far) - first;
  const height = Math.min(rise.height, top + mask.height + far) - above;
  const box = { left: first, top: above, width, height };
  const around = cut(mask, { left: first - left, top: above - top, width, height });
  const away = distances(masked(around, (value) => 1 - value)).values;
  const paper = cut(rise, box).values;
  const [sharp, soft] = EDGES.map((times) => {
    let [among, seen] = [0, 0];
    away.forEach((distance, place) => {
      if (Math.abs(distance - times * edge) >= 0.5) return;
      among++;
      if (paper[place] > CHANGE * strength) seen++;
    });
    return seen / Math.max(1, among);
  });
  return Math.max(sharp, soft - DOUBT);
}

function split(ink, region, depth) {
  const smallest = Math.max(4, (SMALLEST * shorterSide(ink)) / 2);
  return regionsOf(region.mask).flatMap(({ left, top, mask }) => {
    if (Math.max(mask.width, mask.height) < smallest) return [];
    const box = { left: region.left + left, top: region.top + top, width: mask.width, height: mask.height };
    const own = cut(ink, box).values;
    const strength = quantile(chosen(own, mask.values), 0.9);
    const strong = { ...mask, values: new Uint8Array(own.length) };
    for (let place = 0; place < own.length; place++) strong.values[place] = mask.values[place] & Number(own[place] > HALF * strength);
    if (depth && count(strong) < 0.97 * count(mask)) return split(ink, { ...box, mask: strong }, depth - 1);
    return [{ left: box.left, top: box.top, mask, strength }];
  });
}

/** The numbers that a mask holds. */
function chosen(values, mask) {
  const result = new Float32Array(values.length);
  let some = 0;
  for (let place = 0; place < values.length; place++) if (mask[place]) result[some++] = values[place];
  return result.subarray(0, some);
}
