// Connected regions of masks: {left, top, mask}, where the mask is no larger than its box.

import { boxOf, cut, masked } from "./grid.js";

/**
 * Give a number to all places that are connected with `start`, at corners too or not; returns their
 * box. `waiting` is room for as many places.
 */
function flood({ values, width, height }, start, labels, number, corners, waiting) {
  let left = width;
  let top = height;
  let right = -1;
  let bottom = -1;
  waiting[0] = start;
  labels[start] = number;
  for (let some = 1; some; ) {
    const place = waiting[--some];
    const column = place % width;
    const row = (place - column) / width;
    if (column < left) left = column;
    if (column > right) right = column;
    if (row < top) top = row;
    if (row > bottom) bottom = row;
    for (let y = Math.max(0, row - 1); y <= Math.min(height - 1, row + 1); y++)
      for (let x = Math.max(0, column - 1); x <= Math.min(width - 1, column + 1); x++) {
        const next = y * width + x;
        if (!values[next] || labels[next] || (!corners && x !== column && y !== row)) continue;
        labels[next] = number;
        waiting[some++] = next;
      }
  }
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** The regions of a mask, in the order of their first pixels. */
export function regionsOf(mask) {
  const labels = { ...mask, values: new Int32Array(mask.values.length) };
  const waiting = new Int32Array(mask.values.length);
  const regions = [];
  for (let start = 0, number = 0; start < labels.values.length; start++) {
    if (!mask.values[start] || labels.values[start]) continue;
    const box = flood(mask, start, labels.values, ++number, true, waiting);
    regions.push({ left: box.left, top: box.top, mask: labelled(labels, box, number) });
  }
  return regions;
}

/** Where in a box a label is. */
function labelled({ values, width }, box, label) {
  const mask = new Uint8Array(box.width * box.height);
  for (let row = 0, place = 0; row < box.height; row++)
    for (let from = (box.top + row) * width + box.left, column = 0; column < box.width; column++, place++)
      if (values[from + column] === label) mask[place] = 1;
  return { values: mask, width: box.width, height: box.height };
}

/** A mask with its holes; none of its pixels may be at an edge. */
export function filled(mask) {
  const outside = new Int32Array(mask.values.length);
  flood(masked(mask, (value) => 1 - value), 0, outside, 1, false, new Int32Array(outside.length));
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
