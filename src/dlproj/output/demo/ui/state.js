// What the page is at, held in the address behind the #, so that a link shows the same.

import { whenQuiet } from "./dom.js";

const state = new URLSearchParams(location.hash.slice(1));

const write = whenQuiet(() => {
  history.replaceState(null, "", `#${state}`);
}, 200);

/** A value of the state; `usual` where the link has none. */
export const recall = (name, usual = "") => state.get(name) ?? usual;

/** A number of the state within bounds; `usual` where the link has none, or nonsense. */
export function recallNumber(name, usual, low, high) {
  const number = Number.parseFloat(recall(name));
  return number >= low && number <= high ? number : usual;
}

/** Keep a value; an empty one is taken out. */
export function remember(name, value) {
  if (value === "" || value === null) state.delete(name);
  else state.set(name, value);
  write();
}

/** The address of the page as it is now. */
export const linkHere = () => `${location.href.split("#")[0]}#${state}`;
