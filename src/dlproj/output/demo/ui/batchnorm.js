// The part "BatchNorm": the ablation as a chart, each training a point that shows its curve.

import { drawChart, svg } from "./chart.js";
import { showCode } from "./code.js";
import { byId, element, fillSelect, percent } from "./dom.js";
import { data } from "./page.js";
import { recall, remember } from "./state.js";

const { runs, cells, command } = data.ablation;
const ARMS = ["with", "without"];
const SIGNS = { with: "●", without: "◆" };
const SPREAD = { with: 0.93, without: 1.07 }; // so that points of the two arms lie side by side
const SHAPES = {
  with: (x, y) => svg("circle", { cx: x, cy: y, r: 5.5 }),
  without: (x, y) => svg("rect", { x: x - 5, y: y - 5, width: 10, height: 10, transform: `rotate(45 ${x} ${y})` }),
};

const nameOf = ({ lr, seed, arm, accuracy, diverged }) =>
  `Learning rate ${lr}, seed ${seed}, ${arm} BatchNorm: ${percent(accuracy)}${diverged ? ", diverged" : ""}`;

/** A check box in a field set. */
function box(value, changed, ...text) {
  const input = element("input", { type: "checkbox", value, change: changed });
  input.checked = true;
  return element("label", {}, input, " ", ...text);
}

const checked = (id) => [...byId(id).querySelectorAll("input:checked")].map(({ value }) => value);

export function startBatchnorm() {
  const rates = [...new Set(runs.map(({ lr }) => lr))];
  const seeds = [...new Set(runs.map(({ seed }) => seed))];
  let chosen = runs[Number.parseInt(recall("run", "0"), 10)] ?? runs[0];

  byId("ablation-about").textContent = `Each point is a training of the report’s network: ${runs.length} of them, over ${seeds.length} seeds. Choose a point to see how it learnt.`;
  byId("ablation-rates").append(...rates.map((lr) => box(lr, show, String(lr))));
  byId("ablation-arms").append(...ARMS.map((arm) => box(arm, show, `${arm} BatchNorm `, element("span", { class: `${arm}-key`, "aria-hidden": "true" }, SIGNS[arm]))));
  fillSelect(byId("ablation-seed"), ["all", ...seeds]);
  for (const id of ["ablation-seed", "ablation-zoom"]) byId(id).addEventListener("change", show);
  fillTable();
  byId("batchnorm-told").textContent = told();

  function shown() {
    const [someRates, arms, seed] = [checked("ablation-rates"), checked("ablation-arms"), byId("ablation-seed").value];
    return runs.filter((run) => someRates.includes(String(run.lr)) && arms.includes(run.arm) && (seed === "all" || seed === String(run.seed)));
  }

  function choose(run) {
    chosen = run;
    remember("run", runs.indexOf(run));
    show();
    byId("ablation-chart").querySelector(".chosen")?.focus();
  }

  function show() {
    const visible = shown();
    const least = byId("ablation-zoom").checked ? 0.9 : 0;
    const { chart, x, y } = drawChart(byId("ablation-chart"), {
      title: "Accuracy on the test images", role: "group", alt: "Accuracy of each training by its learning rate; arrow keys move between points", xName: "learning rate",
      x: [Math.min(...rates) / 1.6, Math.max(...rates) * 1.6], y: [least, 1], logX: true, xTicks: rates,
    });
    const drawn = visible.filter(({ accuracy }) => accuracy >= least);
    const focused = drawn.includes(chosen) ? chosen : drawn[0];
    for (const run of drawn) {
      const point = SHAPES[run.arm](x(run.lr * SPREAD[run.arm]), y(run.accuracy));
      point.classList.add("run", run.arm);
      if (run === chosen) point.classList.add("chosen");
      for (const [key, value] of Object.entries({ role: "button", tabindex: run === focused ? 0 : -1, "aria-label": nameOf(run), "aria-pressed": run === chosen })) point.setAttribute(key, value);
      point.append(svg("title", {}, nameOf(run)));
      point.addEventListener("click", () => choose(run));
      point.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Enter: 0, " ": 0 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        choose(drawn[(drawn.indexOf(run) + step + drawn.length) % drawn.length]);
      });
      chart.append(point);
    }
    showLosses(visible);
  }

  function showLosses(visible) {
    const { losses, steps, arm } = chosen;
    const pair = visible.find((run) => run.lr === chosen.lr && run.seed === chosen.seed && run.arm !== arm);
    const lines = [chosen, ...(pair ? [pair] : [])].map((run) => ({ name: run.arm, points: run.losses.map((loss, index) => [((index + 0.5) * run.steps) / run.losses.length, loss]) }));
    const all = lines.flatMap(({ points }) => points.map(([, loss]) => loss)).filter((loss) => loss > 0);
    drawChart(byId("ablation-losses"), {
      title: `Training loss at ${chosen.lr}, seed ${chosen.seed}`, alt: `Training loss over ${steps} steps; the last is ${losses[losses.length - 1] ?? "no number"}`, xName: "step",
      x: [0, Math.max(steps, pair?.steps ?? 0)], y: [10 ** Math.floor(Math.log10(Math.min(...all))), 10 ** Math.ceil(Math.log10(Math.max(...all)))], logY: true, lines,
    });
    byId("ablation-answer").textContent = `${nameOf(chosen)}${pair ? `; ${pair.arm}: ${percent(pair.accuracy)}` : ""}.`;
  }

  show();
  showCode("batchnorm", command, [
    "import dlproj",
    "",
    `run = dlproj.ablate_batchnorm(lr=(${rates.join(", ")},), seeds=${seeds.length})`,
    'print(run.metrics["verdict"])',
  ]);
}

/** The answer to the part's question: at which rates the interval leaves out zero. */
function told() {
  const at = (chosen) => chosen.map(({ lr }) => lr).join(", ");
  const helps = cells.filter(({ ci95: [low] }) => low > 0);
  const harms = cells.filter(({ ci95: [, high] }) => high < 0);
  const open = cells.filter((cell) => !helps.includes(cell) && !harms.includes(cell));
  const most = cells.reduce((best, cell) => (cell.difference > best.difference ? cell : best));
  const parts = [
    ...(helps.length ? [`It helps at ${at(helps)}: the whole interval is above zero.`] : []),
    ...(harms.length ? [`It harms at ${at(harms)}: the whole interval is below zero.`] : []),
    ...(open.length ? [`At ${at(open)} these seeds do not tell: the interval holds zero.`] : []),
  ];
  return `${parts.join(" ")} The difference is largest at ${most.lr}, with ${(100 * most.difference).toFixed(1)} points.`;
}

/** What BatchNorm is worth at each rate. */
function fillTable() {
  const points = (share) => `${share > 0 ? "+" : ""}${(100 * share).toFixed(2)}`;
  const head = element("tr", {}, ...["Learning rate", "Difference in points", "95 % interval"].map((text) => element("th", { scope: "col" }, text)));
  const rows = cells.map(({ lr, difference, ci95: [low, high] }) =>
    element("tr", {}, ...[String(lr), points(difference), `${points(low)} to ${points(high)}`].map((text) => element("td", {}, text))),
  );
  byId("ablation-table").replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
}
