// Connected regions of masks: {left, top, mask}, where the mask is no larger than its box.

import { boxOf, cut, masked } from "./grid.js";

/** The steps to the eight neighbours of a pixel, and to the four that share a side with it. */
const FOUR = [[0, -1], [0, 1], [-1, 0], [1, 0]];
const EIGHT = [...FOUR, [-1, -1], [-1, 1], [1, -1], [1, 1]];

/** Give a number to all places that are connected with `start`; returns their box. */
function flood({ values, width, height }, start, labels, number, steps) {
  let [left, top, right, bottom] = [Infinity, Infinity, -1, -1];
  const waiting = [start];
  labels[start] = number;
  while (waiting.length) {
    const place = waiting.pop();
    const column = place % width;
    const row = (place - column) / width;
    [left, right] = [Math.min(left, column), Math.max(right, column)];
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
    for (const [down, across] of steps) {
      const [y, x] = [row + down, column + across];
      if (x < 0 || y < 0 || x >= width || y >= height) continue;
      const next = y * width + x;
      if (!values[next] || labels[next]) continue;
      labels[next] = number;
      waiting.push(next);
    }
  }
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** The regions of a mask, in the order of their first pixels. */
export function regionsOf(mask) {
  const labels = { ...mask, values: new Int32Array(mask.values.length) };
  const regions = [];
  for (let start = 0, number = 0; start < labels.values.length; start++) {
    if (!mask.values[start] || labels.values[start]) continue;
    const box = flood(mask, start, labels.values, ++number, EIGHT);
    const own = number;
    regions.push({ left: box.left, top: box.top, mask: masked(cut(labels, box), (label) => Number(label === own)) });
  }
  return regions;
}

/** A mask with its holes; none of its pixels may be at an edge. */
export function filled(mask) {
  const outside = new Int32Array(mask.values.length);
  flood(masked(mask, (value) => 1 - value), 0, outside, 1, FOUR);
  return masked(mask, (_, place) => 1 - outside[place]);
}

/** All regions in one mask of the box around them: {left, top, mask}. */
export function joined(regions, { width, height }) {
  const whole = { values: new Uint8Array(width * height), width, height };
  for (const { left, top, mask } of regions)
    mask.values.forEach((value, place) => {
      const column = place % mask.width;
      if (value) whole.values[(top + (place - column) / mask.width) * width + left + column] = 1;
    });
  const box = boxOf(whole);
  return { left: box.left, top: box.top, mask: cut(whole, box) };
}
