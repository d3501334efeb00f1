// Bars of probability: a table, so that it can be read aloud too.

import { element, percent } from "./dom.js";

/**
 * A table of bars in `place`; returns a function that shows probabilities, or nothing, and above
 * them as a thin line those from before a change, if they are given.
 */
export function makeBars(place, labels, caption) {
  const rows = labels.map((label) => {
    const fill = element("div", { class: "fill" });
    const earlier = element("div", { class: "earlier" });
    const value = element("td", {}, "–");
    const row = element("tr", {}, element("th", { scope: "row" }, label), element("td", {}, element("div", { class: "track" }, earlier, fill)), value);
    return { fill, earlier, value, row };
  });
  place.replaceChildren(element("table", { class: "bars", "aria-label": caption }, element("tbody", {}, ...rows.map(({ row }) => row))));
  return (probabilities, before) => {
    const highest = probabilities ? Math.max(...probabilities) : Infinity;
    rows.forEach(({ fill, earlier, value, row }, index) => {
      const share = probabilities ? probabilities[index] : 0;
      fill.style.width = `${100 * share}%`;
      earlier.style.width = `${100 * (before?.[index] ?? 0)}%`;
      value.textContent = probabilities ? percent(share) : "–";
      row.classList.toggle("best", share === highest);
    });
  };
}
