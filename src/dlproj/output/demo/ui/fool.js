// The part "Fool": the same attack on the report's network and on a robust one.

import { fgsm, noise, pgd, smallestEpsilon } from "../engine/attacks.js";
import { logitsOf } from "../engine/network.js";
import { argmax } from "../engine/softmax.js";
import { showCode } from "./code.js";
import { breathe, byId, everyFrame, fillSelect, whenQuiet } from "./dom.js";
import { about } from "./page.js";
import { recall, recallNumber, remember } from "./state.js";
import { onSubject, subject } from "./subject.js";
import { makeVictim } from "./victim.js";

const LARGEST = 0.3;
const TITLES = { digits: "The network of the report", robust: "A robust network" };

/** Start the part; `networks` has `digits` and maybe `robust`, `draw` chooses examples. */
export function startFool(networks, draw) {
  const { labels } = about.digits;
  const slider = byId("epsilon");
  const method = () => document.querySelector("input[name=method]:checked").value;
  const steps = () => Math.min(40, Math.max(1, Math.round(Number(byId("steps").value)) || 1));
  const epsilon = () => Number(slider.value);
  const victims = Object.entries(networks).map(([name, network]) => makeVictim(network, labels, TITLES[name], setEpsilon));
  byId("victims").replaceChildren(...victims.map(({ card }) => card));
  fillSelect(byId("label"), labels.map((_, index) => index), labels);

  const attackOn = ({ network }, pixels, label) =>
    method() === "pgd" ? pgd(network, pixels, label, steps()) : fgsm(network, pixels, label);

  function attackAll() {
    const { pixels } = subject();
    byId("epsilon-value").textContent = `${epsilon().toFixed(3)} (${Math.round(255 * epsilon())}/255)`;
    if (byId("fool").hidden || !pixels) return;
    const label = byId("label").selectedIndex;
    for (const victim of victims) {
      const attacked = attackOn(victim, pixels, label)(epsilon());
      victim.show({ pixels, attacked, random: noise(pixels, epsilon()), label, epsilon: epsilon() });
    }
  }

  let search = 0;
  const searchAll = whenQuiet(async () => {
    const own = ++search;
    const { pixels } = subject();
    if (byId("fool").hidden || !pixels) return;
    const label = byId("label").selectedIndex;
    for (const victim of victims) victim.tell(undefined);
    for (const victim of victims) {
      const options = { largest: LARGEST, upwards: method() === "fgsm", pause: breathe };
      const right = argmax(logitsOf(victim.network, pixels)) === label;
      const found = right ? await smallestEpsilon(victim.network, label, attackOn(victim, pixels, label), options) : 0;
      if (own !== search) return;
      victim.tell(found, LARGEST);
    }
  }, 300);

  const attackSoon = everyFrame(attackAll);
  function changed() {
    remember("epsilon", slider.value);
    remember("method", method());
    remember("steps", byId("steps").value);
    codeOf(method(), epsilon(), steps());
    attackSoon();
  }

  function setEpsilon(value) {
    slider.step = "any";
    slider.value = String(value);
    slider.step = "0.005";
    changed();
  }

  function begin({ pixels, label }) {
    if (pixels) byId("label").value = String(label ?? argmax(logitsOf(networks.digits, pixels)));
    refresh();
  }

  function refresh() {
    attackSoon();
    searchAll();
  }

  const move = (by) => draw.choose(((subject().example ?? (by > 0 ? -1 : 0)) + by + draw.count) % draw.count);
  byId("previous").addEventListener("click", () => move(-1));
  byId("next").addEventListener("click", () => move(1));
  slider.value = String(recallNumber("epsilon", 0.1, 0, LARGEST));
  byId("steps").value = String(recallNumber("steps", 10, 1, 40));
  document.querySelector(`input[name=method][value=${recall("method") === "pgd" ? "pgd" : "fgsm"}]`).checked = true;
  slider.addEventListener("input", changed);
  for (const input of [byId("label"), byId("steps"), ...document.querySelectorAll("input[name=method]")])
    input.addEventListener("change", () => {
      changed();
      searchAll();
    });
  onSubject(begin);
  begin(subject());
  codeOf(method(), epsilon(), steps());
  return refresh;
}

function codeOf(method, epsilon, steps) {
  const { run, command } = about.digits;
  const flags = method === "pgd" ? `--method pgd --steps ${steps} ` : "";
  const model = run ? ` --model ${run}` : "";
  const call = method === "pgd" ? `dlproj.pgd(model, images, labels, epsilon=${epsilon}, steps=${steps})` : `dlproj.fgsm(model, images, labels, epsilon=${epsilon})`;
  showCode("fool", `${command}\ndlproj attack ${flags}--epsilon ${epsilon}${model}`, [
    "import dlproj",
    "",
    `model = dlproj.load_model(${run ? JSON.stringify(run) : "dlproj.DIGITS"})`,
    "test = dlproj.load_digits().test",
    "images, labels = dlproj.to_pixels(test.pictures[:100]), test.labels[:100]",
    `adversarial = ${call}`,
    "print((model(adversarial).argmax(1) == labels).float().mean())",
  ]);
}
