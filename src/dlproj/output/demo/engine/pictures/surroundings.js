// What is around a digit, paper or ink: `dlproj.data.pictures.surroundings`.

import { cut, wider } from "./grid.js";
import { edgeWidth } from "./ink.js";
import { spread } from "./masks.js";
import { quantile, roundHalfEven } from "./numbers.js";
import { joined } from "./regions.js";

const [NEAR, FAR] = [0.1, 0.2]; // of a digit's longer side: how far from its box its surroundings are

/** Whether a dark digit lies on paper that goes on around it, and is not paper within a circle. */
export function onPaper(group, grey) {
  const { left, top, mask } = joined(group, grey);
  const box = { left, top, width: mask.width, height: mask.height };
  const size = Math.max(mask.width, mask.height);
  const edge = edgeWidth(grey);
  const window = within(wider(box, roundHalfEven(FAR * size)), grey);
  const inner = within(wider(box, roundHalfEven(NEAR * size)), grey);
  const own = cut(mask, { ...window, left: window.left - left, top: window.top - top });
  const [close, beside] = [spread(own, 2 * edge + 1).values, spread(own, 6 * edge + 1).values];
  const [ink, paper, surroundings] = [[], [], []];
  cut(grey, window).values.forEach((value, place) => {
    const column = window.left + (place % window.width);
    const row = window.top + Math.floor(place / window.width);
    const isInner = column >= inner.left && column < inner.left + inner.width && row >= inner.top && row < inner.top + inner.height;
    if (own.values[place]) ink.push(value);
    if (beside[place] && !close[place]) paper.push(value);
    if (!isInner) surroundings.push(value);
  });
  if (!paper.length || !surroundings.length) return true;
  const [dark, light, around] = [ink, paper, surroundings].map((values) => quantile(values, 0.5));
  return around > (dark + light) / 2;
}

/** The part of a box that a picture has. */
function within({ left, top, width, height }, picture) {
  const [first, above] = [Math.max(0, left), Math.max(0, top)];
  const right = Math.min(picture.width, left + width);
  const bottom = Math.min(picture.height, top + height);
  return { left: first, top: above, width: right - first, height: bottom - above };
}
