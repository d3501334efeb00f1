// The drawing surface: mouse, pen and fingers, undo, and pictures dropped on it.

import { everyFrame, inTurn } from "./dom.js";
import { readPicture } from "./pictures.js";
import { drawStrokes, isFull } from "./strokes.js";

/**
 * Make a canvas one to draw on.
 * @param {HTMLCanvasElement} canvas
 * @param {() => number} penWidth
 * @param {(paper: object) => void} changed called after changes of the ink, once it is seen
 */
export function makePaper(canvas, penWidth, changed) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const paper = { strokes: [], picture: null, show, ink, open, undo, clear, set };
  const tell = inTurn(() => changed(paper));
  const update = everyFrame(() => {
    paint();
    tell();
  });

  function paint() {
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    const { picture } = paper;
    if (picture) context.drawImage(picture, (canvas.width - picture.width) >> 1, (canvas.height - picture.height) >> 1);
    drawStrokes(context, paper.strokes);
  }

  /** The ink of each pixel, as bytes. */
  function ink() {
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const bytes = new Uint8Array(data.length / 4);
    for (let place = 0; place < bytes.length; place++) bytes[place] = data[4 * place];
    return bytes;
  }

  /** Show 28x28 pixels, enlarged, which are no ink to draw on. */
  function show(pixels) {
    [paper.strokes, paper.picture] = [[], null];
    const small = document.createElement("canvas");
    [small.width, small.height] = [28, 28];
    const image = new ImageData(28, 28);
    pixels.forEach((value, place) => image.data.set([value, value, value, 1].map((part) => 255 * part), 4 * place));
    small.getContext("2d").putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
    context.imageSmoothingEnabled = true;
  }

  async function open(file) {
    paper.picture = await readPicture(file, canvas.width);
    paper.strokes = [];
    update();
  }

  function undo() {
    if (paper.strokes.length) paper.strokes.pop();
    else paper.picture = null;
    update();
  }

  function clear() {
    [paper.strokes, paper.picture] = [[], null];
    update();
  }

  function set(strokes) {
    [paper.strokes, paper.picture] = [strokes, null];
    update();
  }

  listen(canvas, paper, penWidth, update);
  return paper;
}

/** Strokes from the pointer. */
function listen(canvas, paper, penWidth, update) {
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const share = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    return share.map((part) => Math.round(255 * Math.min(1, Math.max(0, part))));
  };
  let stroke = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (stroke || event.button) return;
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    stroke = { width: penWidth(), points: [place(event)], pointer: event.pointerId };
    paper.strokes.push(stroke);
    update();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (stroke?.pointer !== event.pointerId) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const moved of events.length ? events : [event]) {
      if (isFull(stroke)) {
        stroke = { ...stroke, points: stroke.points.slice(-1) };
        paper.strokes.push(stroke);
      }
      stroke.points.push(place(moved));
    }
    update();
  });
  for (const end of ["pointerup", "pointercancel"])
    canvas.addEventListener(end, (event) => {
      if (stroke?.pointer === event.pointerId) stroke = null;
    });
}
