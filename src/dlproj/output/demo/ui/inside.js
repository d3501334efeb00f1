// What is inside a digit network: the feature maps of its layers, and which pixels speak.

import { activations, gradientOf } from "../engine/network.js";
import { element } from "./dom.js";
import { paintMaps } from "./pixels.js";

const ENDS = new Set(["relu", "sigmoid"]); // kinds that end a layer's part

/** The layers to show: name, and place in the activations of the network's first column. */
function shownLayers(layers) {
  const found = [];
  let name = "";
  layers.forEach((layer, index) => {
    name = layer.name ?? name;
    if (ENDS.has(layer.kind)) found.push({ name, index: index + 1 });
  });
  return found;
}

/** Show every layer's maps of an image in `place`. */
export function showLayers(place, network, pixels) {
  const [layers] = network.columns;
  const all = activations(layers, pixels);
  const parts = shownLayers(layers).map(({ name, index }) => {
    const made = all[index];
    const [count, ...size] = made.shape;
    const text = size.length ? `${count} maps of ${size.join(" × ")}` : `${count} units`;
    const canvas = element("canvas", { role: "img", "aria-label": `${name}: ${text}` });
    paintMaps(canvas, made, size.length ? Math.max(1, Math.min(6, 64 / size[0])) : 8);
    return element("div", { class: "layer" }, element("h4", {}, `${name}: ${text}`), canvas);
  });
  place.replaceChildren(...parts);
}

/** How much each pixel speaks for one answer: the gradient of its logit times the pixel. */
export function speaks(network, pixels, answer) {
  const slope = (logits) => logits.map((_, index) => (index === answer ? 1 : 0));
  return gradientOf(network, pixels, slope).gradient.map((value, place) => value * pixels[place]);
}
