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

/** Let the browser do what is waiting. */
export const breathe = () => new Promise((resolve) => setTimeout(resolve));

export const percent = (share) => (share > 0.9995 ? "100 %" : `${(100 * share).toFixed(1)} %`);
