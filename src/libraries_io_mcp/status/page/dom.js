// Elements and texts. Everything foreign goes in as text: nothing here, or anywhere on the page, parses HTML.

export const byId = (id) => document.getElementById(id);

// el("td", {class: "number"}, "12", child): attributes by name, functions as listeners, null left out.
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  set(made, attributes);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  set(made, attributes);
  made.append(...children);
  return made;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

// Text that is written only when it differs, so that screen readers and selections are left alone.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// A table with a caption for screen readers. `columns`: [title, class]; `rows`: arrays of cells (text or element).
// The first cell of a row is its header.
export function table(caption, columns, rows) {
  const head = columns.map(([title, kind]) => el("th", { scope: "col", class: kind }, title));
  const body = rows.map((cells) =>
    el("tr", {}, ...cells.map((cell, index) =>
      el(index ? "td" : "th", { class: columns[index][1], scope: index ? null : "row", "data-label": columns[index][0] }, cell))));
  return el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption },
    el("table", {}, el("caption", { class: "unseen" }, caption), el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...body)));
}

// Makes what `place` holds like `made` and touches only what differs: focus, scrolling and what a reader has selected
// stay, and the browser has less to let go of. For what has no listeners: those of `made` may be lost.
export function fill(place, ...made) {
  become(place, made.filter((each) => each !== null && each !== undefined && each !== "").map((each) => (typeof each === "string" ? document.createTextNode(each) : each)));
}

function become(parent, wanted) {
  const held = [...parent.childNodes];
  wanted.forEach((made, index) => {
    const old = held[index];
    if (!old) parent.append(made);
    else if (old.nodeName !== made.nodeName) old.replaceWith(made);
    else if (old.nodeType === Node.ELEMENT_NODE) {
      adopt(old, made);
      become(old, [...made.childNodes]);
    } else if (old.data !== made.data) old.data = made.data;
  });
  for (const gone of held.slice(wanted.length)) gone.remove();
}

function adopt(old, made) {
  for (const name of old.getAttributeNames()) if (!made.hasAttribute(name)) old.removeAttribute(name);
  for (const name of made.getAttributeNames()) if (old.getAttribute(name) !== made.getAttribute(name)) old.setAttribute(name, made.getAttribute(name));
}

// Gives an element these children in this order and touches only what is not in its place, so that focus stays.
export function arrange(parent, order) {
  let next = parent.firstChild;
  const keep = new Set(order);
  for (const each of order) {
    while (next && !keep.has(next)) {
      const gone = next;
      next = next.nextSibling;
      gone.remove();
    }
    if (each === next) next = next.nextSibling;
    else parent.insertBefore(each, next);
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

export const unknown = (text = "unknown") => el("span", { class: "unknown" }, text);

export function badge(status, text = status) {
  const mark = { healthy: "●", ok: "●", closed: "●", degraded: "▲", half_open: "▲", pending: "▲", warning: "▲", unhealthy: "■", open: "■", firing: "■", bad: "■" }[status] ?? "○";
  return el("span", { class: "badge", "data-status": status }, el("span", { "aria-hidden": "true" }, mark + " "), text);
}

export const notAvailable = (part, what) =>
  el("p", { class: "empty" }, part?.unavailable ? `Not available just now (${part.unavailable}).` : `${what} is not available on this server.`);

// What is unknown is left out of the score, so it is said that something is.
export function score(report) {
  if (report?.score === null || report?.score === undefined) return "score unknown";
  const unknowns = Object.values(report.checks ?? {}).filter((check) => check.status === "unknown").length;
  return `score ${Math.round(report.score)} of 100${unknowns ? `, ${unknowns} unknown` : ""}`;
}

const NARROW = "\u202f";

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "unknown";
  if (seconds < 0.00095) return `${Math.round(seconds * 1e6)}${NARROW}µs`;
  if (seconds < 0.00995) return `${(seconds * 1e3).toFixed(1)}${NARROW}ms`;
  if (seconds < 0.9995) return `${Math.round(seconds * 1e3)}${NARROW}ms`;
  if (seconds < 99.5) return `${seconds.toFixed(seconds < 9.95 ? 2 : 1)}${NARROW}s`;
  return long(seconds);
}

export function long(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [days, hours, minutes] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];
  if (days) return `${days}${NARROW}d ${hours}${NARROW}h`;
  if (hours) return `${hours}${NARROW}h ${minutes}${NARROW}min`;
  return minutes ? `${minutes}${NARROW}min ${whole % 60}${NARROW}s` : `${whole}${NARROW}s`;
}

export const number = (value) => (value === null || value === undefined ? "unknown" : value.toLocaleString("en-US").replaceAll(",", NARROW));

export function percent(share) {
  if (share === null || share === undefined) return "unknown";
  const value = share * 100;
  return `${value === 100 || value === 0 ? value : value.toFixed(value > 99 ? 2 : 1)}${NARROW}%`;
}

export function bytes(value) {
  for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
    if (value >= size) return `${(value / size).toFixed(1)}${NARROW}${unit}`;
  }
  return `${value}${NARROW}B`;
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });

// A moment as the clock says it, with the day when it is not today. Takes seconds since 1970 or ISO text.
export function moment(when) {
  if (when === null || when === undefined) return unknown("never");
  const date = new Date(typeof when === "number" ? when * 1000 : when);
  if (Number.isNaN(date.getTime())) return unknown();
  const today = date.toDateString() === new Date().toDateString();
  return el("time", { datetime: date.toISOString() }, (today ? CLOCK : DAY).format(date));
}
