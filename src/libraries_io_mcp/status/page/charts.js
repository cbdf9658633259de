// Small line charts in SVG: real pixels, few marks, a cursor for mouse and arrow keys, a sentence for screen readers.

import { el, fill, say, svg } from "./dom.js";

const MARGIN = { top: 8, right: 10, bottom: 22, left: 54 };
const HEIGHT = 170;
const STEPS = [30, 60, 120, 300, 600, 900, 1200]; // seconds between two marks of time

export class Chart {
  #place; #plot; #readout; #lines = []; #times = []; #options = {}; #cursor = null; #scale = null;

  // `options`: title, format (a value as text), series: [{name, class, area}].
  constructor(place, options) {
    this.#place = place;
    this.#options = options;
    this.#plot = svg("svg", { tabindex: "0", role: "img", class: "plot", height: HEIGHT });
    this.#readout = el("p", { class: "readout", "aria-live": "off" });
    const legend = el("ul", { class: "legend" }, ...options.series.map((each) =>
      el("li", {}, svg("svg", { width: 22, height: 8, "aria-hidden": "true" }, svg("line", { x1: 1, x2: 21, y1: 4, y2: 4, class: `curve ${each.class}` })), each.name)));
    place.replaceChildren(legend, this.#plot, this.#readout);
    this.#plot.addEventListener("pointermove", (event) => this.#point(event.clientX));
    this.#plot.addEventListener("pointerleave", () => this.#move(null));
    this.#plot.addEventListener("blur", () => this.#move(null));
    this.#plot.addEventListener("keydown", (event) => this.#key(event));
    let width = 0;
    new ResizeObserver(() => {
      const now = place.clientWidth;
      if (now !== width) {
        width = now;
        this.#draw();
      }
    }).observe(place);
  }

  // `times`: seconds before now, ascending to 0; `lines`: one array of values for each series, null where there is none.
  show(times, lines, span) {
    this.#times = times;
    this.#lines = lines;
    this.#options.span = span;
    this.#draw();
  }

  #draw() {
    const width = this.#place.clientWidth;
    if (!width) return;
    const { span = 900, format, title } = this.#options;
    const inner = { width: width - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
    const top = nice(Math.max(0, ...this.#lines.flat().filter((value) => value !== null)));
    const x = (time) => MARGIN.left + inner.width * (1 + time / span);
    const y = (value) => MARGIN.top + inner.height * (1 - value / top);
    this.#scale = { x, y, width, span };
    const marks = [];
    for (const share of [0, 0.5, 1]) {
      const at = y(top * share);
      marks.push(svg("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: at, y2: at, class: "grid" }));
      marks.push(svg("text", { x: MARGIN.left - 7, y: at + 4, class: "tick end" }, share ? format(top * share) : "0"));
    }
    const step = STEPS.find((each) => span / each <= (width < 420 ? 2 : 4)) ?? span;
    for (let ago = 0; ago <= span; ago += step) {
      const where = ago === 0 ? " end" : x(-ago) < MARGIN.left + 20 ? "" : " middle";
      marks.push(svg("text", { x: x(-ago), y: HEIGHT - 5, class: `tick${where}` }, ago ? `−${before(ago)}` : "now"));
    }
    this.#options.series.forEach((each, index) => marks.push(...this.#curve(each, this.#lines[index] ?? [], x, y)));
    marks.push(svg("line", { y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom, class: "cursor", visibility: "hidden" }));
    if (!this.#lines.some((line) => line.some((value) => value))) {
      marks.push(svg("text", { x: MARGIN.left + inner.width / 2, y: MARGIN.top + inner.height / 2, class: "nothing" }, "nothing measured yet"));
    }
    this.#plot.setAttribute("width", width);
    this.#plot.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    fill(this.#plot, ...marks);
    const sentence = `${title}, last ${Math.round(span / 60)} minutes. ${this.#sentence()} Arrow keys read single values.`;
    this.#plot.setAttribute("aria-label", sentence);
    this.#read();
  }

  #curve(each, values, x, y) {
    const marks = [];
    let run = [];
    const end = () => {
      if (run.length === 1) marks.push(svg("circle", { cx: run[0][0], cy: run[0][1], r: 2.5, class: `dot ${each.class}` }));
      if (run.length > 1) {
        const path = run.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join("L");
        if (each.area) marks.push(svg("path", { d: `M${run[0][0].toFixed(1)},${y(0)}L${path}L${run[run.length - 1][0].toFixed(1)},${y(0)}Z`, class: `area ${each.class}` }));
        marks.push(svg("path", { d: `M${path}`, class: `curve ${each.class}` }));
      }
      run = [];
    };
    values.forEach((value, index) => (value === null ? end() : run.push([x(this.#times[index]), y(value)])));
    end();
    return marks;
  }

  #sentence() {
    return this.#options.series.map((each, index) => {
      const values = (this.#lines[index] ?? []).filter((value) => value !== null);
      if (!values.length) return `${each.name}: nothing measured.`;
      return `${each.name}: ${this.#options.format(values[values.length - 1])} at the end, ${this.#options.format(Math.max(...values))} at most.`;
    }).join(" ");
  }

  #point(clientX) {
    if (!this.#scale) return;
    const at = clientX - this.#plot.getBoundingClientRect().left;
    let best = null;
    this.#times.forEach((time, index) => {
      if (best === null || Math.abs(this.#scale.x(time) - at) < Math.abs(this.#scale.x(this.#times[best]) - at)) best = index;
    });
    this.#move(best);
  }

  #key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !this.#times.length) return;
    event.preventDefault();
    const last = this.#times.length - 1;
    this.#readout.setAttribute("aria-live", "polite");
    this.#move(this.#cursor === null ? last : Math.min(last, Math.max(0, this.#cursor + step)));
  }

  #move(index) {
    this.#cursor = index;
    if (index === null) this.#readout.setAttribute("aria-live", "off");
    this.#read();
  }

  #read() {
    const line = this.#plot.querySelector(".cursor");
    const index = this.#cursor;
    if (index === null || index >= this.#times.length) {
      line?.setAttribute("visibility", "hidden");
      say(this.#readout, "");
      return;
    }
    const at = this.#scale.x(this.#times[index]);
    line.setAttribute("x1", at);
    line.setAttribute("x2", at);
    line.setAttribute("visibility", "visible");
    const when = new Date(Date.now() + this.#times[index] * 1000).toLocaleTimeString("en-GB");
    const texts = this.#options.series.map((each, number) => {
      const value = this.#lines[number]?.[index];
      return `${each.name} ${value === null || value === undefined ? "none" : this.#options.format(value)}`;
    });
    say(this.#readout, `${when}: ${texts.join(", ")}`);
  }
}

// A line as small as a word, for table rows; the figures stand beside it.
export function sparkline(values) {
  const [width, height] = [90, 20];
  const most = Math.max(1, ...values);
  const step = width / Math.max(1, values.length - 1);
  const path = values.map((value, index) => `${(index * step).toFixed(1)},${(height - 2 - (value / most) * (height - 4)).toFixed(1)}`).join("L");
  return svg("svg", { width, height, class: "spark", "aria-hidden": "true", viewBox: `0 0 ${width} ${height}` }, ...(values.length > 1 ? [svg("path", { d: `M${path}`, class: "curve accent" })] : []));
}

function before(seconds) {
  return seconds < 60 ? `${seconds} s` : `${seconds / 60} min`;
}

// The next 1, 2 or 5 times a power of ten.
function nice(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= value * 0.999);
}
