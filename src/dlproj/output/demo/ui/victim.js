// One network under attack: original, change and result, and what it reads in each.

import { logitsOf } from "../engine/network.js";
import { argmax, softmax } from "../engine/softmax.js";
import { makeBars } from "./bars.js";
import { element, percent } from "./dom.js";
import { paintGrey, paintSigned } from "./pixels.js";

/** A picture of 28x28 with a caption that can change. */
function picture(name) {
  const canvas = element("canvas", { width: 28, height: 28, role: "img", "aria-label": name });
  const caption = element("figcaption", {}, name);
  return { canvas, caption, figure: element("figure", {}, canvas, caption) };
}

/**
 * A card for a network; `title` names it.
 * @returns {{card: HTMLElement, show: Function, tell: Function}} `show` takes the images of an
 *   attack, `tell` what is known of the smallest epsilon
 */
export function makeVictim(network, labels, title, setEpsilon) {
  const [original, change, result, noisy] = ["Original", "Change", "Result", "Noise"].map(picture);
  const verdict = element("p", { class: "answer", role: "status" });
  const smallest = element("p", { class: "smallest" });
  const bars = element("div");
  const images = element("div", { class: "images" }, ...[original, change, result, noisy].map(({ figure }) => figure));
  const card = element("article", { class: "victim" }, element("h3", {}, title), images, verdict, bars, smallest);
  const showBars = makeBars(bars, labels, `${title}: probability of each answer after the attack`);

  const read = (part, name, pixels) => {
    const probabilities = softmax(logitsOf(network, pixels));
    const best = argmax(probabilities);
    part.caption.textContent = `${name}: ${labels[best]}, ${percent(probabilities[best])}`;
    return { probabilities, best };
  };

  function show({ pixels, attacked, random, label, epsilon }) {
    paintGrey(original.canvas, pixels);
    paintGrey(result.canvas, attacked);
    paintGrey(noisy.canvas, random);
    paintSigned(change.canvas, attacked.map((value, place) => value - pixels[place]), epsilon);
    change.caption.replaceChildren("Change: ", element("span", { class: "key positive" }), " brighter, ", element("span", { class: "key negative" }), " darker");
    const before = read(original, "Original", pixels);
    read(noisy, "Same amount of noise", random);
    const { probabilities, best } = read(result, "Result", attacked);
    showBars(probabilities, before.probabilities);
    if (before.best !== label) {
      verdict.textContent = `Wrong without any change: it reads ${labels[before.best]}, and it is a ${labels[label]}.`;
      return;
    }
    const held = best === label;
    const word = element("span", { class: held ? "holds" : "fooled" }, held ? "Not fooled" : "Fooled");
    verdict.replaceChildren(word, held ? `: it still reads ${labels[best]}.` : `: it reads ${labels[best]}, and it is a ${labels[label]}.`);
  }

  function tell(epsilon, largest) {
    if (epsilon === undefined) smallest.textContent = "Looking for the smallest ε that fools it …";
    else if (epsilon === null) smallest.textContent = `No ε up to ${largest} fools it.`;
    else if (epsilon === 0) smallest.textContent = "";
    else {
      const set = element("button", { type: "button", click: () => setEpsilon(epsilon) }, "Set it");
      smallest.replaceChildren(`The smallest ε that fools it: ${epsilon.toFixed(3)} (${Math.round(255 * epsilon)}/255). `, set);
    }
  }

  return { network, card, show, tell };
}
