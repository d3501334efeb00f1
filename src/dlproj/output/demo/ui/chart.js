// Charts as SVG, which follow the page's colours by their classes.

const NAMESPACE = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [400, 250];
const INSIDE = { left: 52, right: 382, top: 32, bottom: 212 };

/** An element of SVG. */
export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** A function from values to places; `log` for logarithmic axes. */
function scale([low, high], [from, to], log) {
  const [start, end] = log ? [Math.log10(low), Math.log10(high)] : [low, high];
  return (value) => from + (((log ? Math.log10(value) : value) - start) / (end - start || 1)) * (to - from);
}

/** About five round numbers, or the powers of ten, between two bounds. */
function ticksOf([low, high], log) {
  if (log) {
    const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
    const every = Math.max(1, Math.ceil((last - first) / 5));
    return Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, index) => 10 ** (first + index * every));
  }
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, index) => (first + index) * step);
}

const label = (value) => (value && (Math.abs(value) < 0.001 || Math.abs(value) >= 1e5) ? value.toExponential(0) : String(Number(value.toPrecision(4))));

function axes(x, y, options) {
  const parts = [];
  for (const value of options.xTicks ?? ticksOf(options.x, options.logX))
    parts.push(svg("text", { x: x(value), y: INSIDE.bottom + 17, "text-anchor": "middle" }, label(value)));
  for (const value of ticksOf(options.y, options.logY))
    parts.push(
      svg("line", { class: "grid", x1: INSIDE.left, x2: INSIDE.right, y1: y(value), y2: y(value) }),
      svg("text", { x: INSIDE.left - 6, y: y(value) + 4, "text-anchor": "end" }, label(value)),
    );
  parts.push(
    svg("line", { class: "axis", x1: INSIDE.left, x2: INSIDE.right, y1: INSIDE.bottom, y2: INSIDE.bottom }),
    svg("text", { class: "title", x: 10, y: 19 }, options.title),
    svg("text", { x: INSIDE.right, y: INSIDE.bottom + 33, "text-anchor": "end" }, options.xName),
  );
  return parts;
}

/** The path through points, broken where a value cannot be drawn. */
function pathOf(points, x, y, [low, high]) {
  let pen = "M";
  const parts = points.map(([across, up]) => {
    if (!Number.isFinite(up)) {
      pen = "M";
      return "";
    }
    const place = `${pen}${x(across).toFixed(1)} ${y(Math.min(Math.max(up, low), high)).toFixed(1)}`;
    pen = "L";
    return place;
  });
  return parts.join("");
}

/**
 * Draw a chart into `place`.
 * @param {{title: string, alt: string, xName: string, x: number[], y: number[], logX?: boolean,
 *   logY?: boolean, xTicks?: number[], lines?: {name: string, points: number[][]}[],
 *   dots?: number[][], now?: number, clicked?: Function}} options `x` and `y` are bounds; a line's
 *   name is its class; `now` marks a place on the x axis; `clicked` is called with a place
 * @returns {{chart: SVGElement, x: Function, y: Function}} to draw more
 */
export function drawChart(place, options) {
  const x = scale(options.x, [INSIDE.left, INSIDE.right], options.logX);
  const y = scale(options.y, [INSIDE.bottom, INSIDE.top], options.logY);
  const chart = svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: options.role ?? "img", "aria-label": options.alt }, ...axes(x, y, options));
  for (const [across, up] of options.dots ?? [])
    if (up >= options.y[0] && up <= options.y[1]) chart.append(svg("circle", { class: "dot", cx: x(across), cy: y(up), r: 2.5 }));
  for (const { name, points } of options.lines ?? []) chart.append(svg("path", { class: name, d: pathOf(points, x, y, options.y) }));
  if (options.now !== undefined) chart.append(svg("line", { class: "now", x1: x(options.now), x2: x(options.now), y1: INSIDE.top, y2: INSIDE.bottom }));
  if (options.clicked) {
    chart.classList.add("clickable");
    chart.addEventListener("click", (event) => {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(chart.getScreenCTM().inverse());
      const share = [(at.x - INSIDE.left) / (INSIDE.right - INSIDE.left), (INSIDE.bottom - at.y) / (INSIDE.bottom - INSIDE.top)];
      if (share.some((part) => part < 0 || part > 1)) return;
      options.clicked(options.x[0] + share[0] * (options.x[1] - options.x[0]), options.y[0] + share[1] * (options.y[1] - options.y[0]));
    });
  }
  place.replaceChildren(chart);
  return { chart, x, y };
}

/** Bounds around numbers, a little wider than they are. */
export function around(numbers, spare = 0.08) {
  const finite = numbers.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const room = high > low ? spare * (high - low) : 1;
  return [low - room, high + room];
}
