// Strokes of a pen, and as text that fits into a link: places are bytes, from 0 to 255 each way.

const LONGEST = 255; // points of one stroke

/** Strokes ({width, points: [[x, y], …]}) as text: width, count and places as bytes, in base64url. */
export function strokesToText(strokes) {
  const bytes = strokes.flatMap(({ width, points }) => [width, points.length, ...points.flat()]);
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The strokes that a text holds; none, if it holds none. */
export function textToStrokes(text) {
  const strokes = [];
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
    for (let place = 0; place < bytes.length; ) {
      const [width, count] = [bytes[place], bytes[place + 1]];
      const flat = bytes.subarray(place + 2, place + 2 + 2 * count);
      strokes.push({ width, points: Array.from({ length: flat.length >> 1 }, (_, index) => [flat[2 * index], flat[2 * index + 1]]) });
      place += 2 + 2 * count;
    }
  } catch {
    return [];
  }
  return strokes.filter(({ points }) => points.length);
}

/** Whether a stroke has no room for another point. */
export const isFull = ({ points }) => points.length === LONGEST;

/** Draw strokes in white. */
export function drawStrokes(context, strokes) {
  const scale = context.canvas.width / 255;
  Object.assign(context, { strokeStyle: "#fff", lineCap: "round", lineJoin: "round" });
  for (const { width, points } of strokes) {
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(points[0][0] * scale, points[0][1] * scale);
    for (const [x, y] of points.length > 1 ? points.slice(1) : points) context.lineTo(x * scale, y * scale);
    context.stroke();
  }
}
