// Elements of the page.

export const byId = (id) => document.getElementById(id);

/** An element with attributes (a function is a listener) and what is in it. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (typeof value === "function") made.addEventListener(key, value);
    else made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** An option of each value, in a select. */
export function fillSelect(select, values, names = values) {
  select.replaceChildren(...values.map((value, index) => element("option", { value }, String(names[index]))));
}

/** Call `work` once the calls to it have stopped for a moment. */
export function whenQuiet(work, wait = 150) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), wait);
  };
}

/** Call `work` at the next frame, once however often it was asked for. */
export function everyFrame(work) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      work();
    });
  };
}

const SLOW = 50; // milliseconds of work that are felt

/**
 * Call `work` when the browser has painted, once however often it was asked for by then. Where it is
 * slow, it leaves as much time to the pen as it took.
 */
export function inTurn(work) {
  let [timer, next] = [0, 0];
  const take = () => {
    timer = 0;
    const start = performance.now();
    work();
    const end = performance.now();
    next = end - start > SLOW ? end + (end - start) : end;
  };
  return () => {
    timer ||= setTimeout(take, Math.max(0, next - performance.now()));
  };
}

/** Let the browser do what is waiting. */
export const breathe = () => new Promise((resolve) => setTimeout(resolve));

export const percent = (share) => (share > 0.9995 ? "100\u00a0%" : `${(100 * share).toFixed(1)}\u00a0%`);
