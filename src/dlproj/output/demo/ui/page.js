// What the page holds: networks and data.

import { buildLanguages } from "../engine/languages.js";
import { build } from "../engine/network.js";
import { unpackTensors } from "../engine/tensors.js";
import { byId } from "./dom.js";

const content = JSON.parse(byId("page-data").textContent);
const builders = { digits: build, robust: build, words: buildLanguages };
const ready = new Map();

/** Examples, words to try, a training and an ablation. */
export const data = content.data;

/** Descriptions of the networks: digits, words, and maybe robust. */
export const about = content.networks;

/** A network with its weights, which are unpacked when it is first asked for. */
export function network(name) {
  if (!ready.has(name)) ready.set(name, unpack(name));
  return ready.get(name);
}

async function unpack(name) {
  const tensors = await unpackTensors(byId(`weights-${name}`).textContent, about[name].index);
  return builders[name](about[name], tensors);
}
