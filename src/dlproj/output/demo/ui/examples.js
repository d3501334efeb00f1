// Test images to choose from: a list box, in which the arrow keys move.

import { element } from "./dom.js";
import { paintGrey } from "./pixels.js";

/** The pictures, labels and places of the examples, from the page's data. */
export function readExamples({ pictures, labels, numbers, mistakes }, names) {
  const bytes = Uint8Array.from(atob(pictures), (letter) => letter.charCodeAt(0));
  return labels.map((label, index) => ({
    pixels: Float32Array.from(bytes.subarray(784 * index, 784 * (index + 1)), (byte) => byte / 255),
    label,
    name: names[label],
    number: numbers[index],
    mistake: index < mistakes,
  }));
}

/** Fill `place` with the examples; `chosen` is called with the index of one. Returns `mark`. */
export function makeGallery(place, examples, chosen) {
  const options = examples.map((example, index) => {
    const canvas = element("canvas", { width: 28, height: 28 });
    paintGrey(canvas, example.pixels);
    const name = `${example.name}, test image ${example.number}${example.mistake ? ", read wrong" : ""}`;
    return element("div", { role: "option", id: `example-${index}`, "aria-label": name, "aria-selected": "false", class: example.mistake ? "mistake" : "", title: name, click: () => chosen(index) }, canvas);
  });
  const list = element("div", { class: "gallery", role: "listbox", tabindex: 0, "aria-label": "Examples" }, ...options);
  let at = -1;
  const columns = () => getComputedStyle(list).gridTemplateColumns.split(" ").length;
  const moves = { ArrowRight: () => 1, ArrowLeft: () => -1, ArrowDown: columns, ArrowUp: () => -columns() };
  list.addEventListener("keydown", (event) => {
    const ends = { Home: 0, End: options.length - 1 };
    const next = event.key in moves ? at + moves[event.key]() : ends[event.key];
    if (next === undefined) return;
    event.preventDefault();
    chosen(Math.min(Math.max(at < 0 ? 0 : next, 0), options.length - 1));
  });
  place.replaceChildren(list);

  /** Mark one example as chosen, or none (-1). */
  return function mark(index) {
    options[at]?.setAttribute("aria-selected", "false");
    at = index;
    list.removeAttribute("aria-activedescendant");
    if (at < 0) return;
    options[at].setAttribute("aria-selected", "true");
    list.setAttribute("aria-activedescendant", options[at].id);
    if (list.contains(document.activeElement)) options[at].scrollIntoView({ block: "nearest" });
  };
}
