// Which parts are digits: `digits_among` of `dlproj.data.pictures.parts`.

import { largest } from "./numbers.js";
import { SMALLEST } from "./parts.js";
import { shorterSide } from "./grid.js";

const THICKEST = 0.28; // of a part's longer side: what holds a larger circle is a blot
const WIDEST = 2.2; // width to height; a digit stands
const FRAME = 0.15; // of its box: what fills less of it, and spans the picture, is a frame
const IN_A_RING = 0.2; // of a circle's size: what is smaller in it is no digit
const OUTLINED = 0.85; // of the outline, at least

/** The digits, each with the parts that it is made of; `cutOut`: only what the picture was cut to. */
export function digitsAmong(parts, picture, cutOut = false) {
  const standing = parts.filter((part) => !isFrame(part, picture));
  const digits = standing.filter((part) => isBody(part, picture) && (part.cutOut || !cutOut));
  const rings = digits.filter((ring) => digits.some((body) => goesRound(ring, body)));
  const [bodies, drawn] = [digits, standing].map((some) => some.filter((part) => !rings.includes(part)));
  if (!bodies.length) return [];
  const main = largest(bodies, ({ weight }) => weight);
  const large = bodies.filter(({ size, strength }) => size > 0.4 * main.size && strength > 0.5 * main.strength);
  return withStrokes(withHalves(large), main.cutOut ? drawn : drawn.filter(({ atEdge }) => !atEdge));
}

function isFrame({ width, height, area }, picture) {
  return height > 0.6 * picture.height && width > 0.6 * picture.width && area < FRAME * width * height;
}

/** Whether a digit stands in a part as in a circle: no digit has another one within its box. */
function goesRound(ring, body) {
  return (
    ring.left < body.left &&
    body.left + body.width < ring.left + ring.width &&
    ring.top < body.top &&
    body.top + body.height < ring.top + ring.height &&
    body.size > IN_A_RING * ring.size
  );
}

/** Whether it may be a digit by itself. */
function isBody(part, picture) {
  return (
    (part.cutOut || !part.atEdge) &&
    part.size > SMALLEST * shorterSide(picture) &&
    part.width < WIDEST * part.height &&
    part.radius() < THICKEST * part.size &&
    part.outlined() > OUTLINED
  );
}

/** Bodies as groups of those that stand close above each other: halves of a broken digit. */
function withHalves(bodies) {
  const groups = [];
  for (const body of bodies.toSorted((a, b) => a.top - b.top)) {
    const group = groups.find((each) => {
      const above = each.at(-1);
      const overlap = Math.min(above.left + above.width, body.left + body.width) - Math.max(above.left, body.left);
      return overlap > 0.5 * Math.min(above.width, body.width) && gap(above, body) < 0.15 * Math.max(above.size, body.size);
    });
    if (group) group.push(body);
    else groups.push([body]);
  }
  return groups;
}

/** Groups with the smaller parts that belong to them: a stroke apart, or broken off. */
function withStrokes(groups, parts) {
  const taken = new Set(groups.flat());
  for (const part of parts) {
    if (taken.has(part)) continue;
    const nearest = largest(groups.flatMap((group) => group.map((body) => ({ group, far: gap(body, part) }))), ({ far }) => -far);
    const body = largest(nearest.group, ({ size }) => size);
    if (
      nearest.far < 0.2 * body.size &&
      part.radius() > 0.5 * body.radius() &&
      part.strength > 0.5 * body.strength &&
      part.area > 0.04 * body.area
    )
      nearest.group.push(part);
  }
  return groups;
}

/** How far apart their boxes are, in pixels. */
function gap(one, other) {
  const across = Math.max(0, other.left - one.left - one.width, one.left - other.left - other.width);
  const down = Math.max(0, other.top - one.top - one.height, one.top - other.top - other.height);
  return Math.hypot(across, down);
}
