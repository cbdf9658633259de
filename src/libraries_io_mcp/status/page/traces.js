// The newest traces, searched here, and one opened at a time as a waterfall.

import { arrange, badge, byId, duration, el, moment, number, say } from "./dom.js";

const FIRST = 15;
const MORE = 45;

let most = FIRST;
let open = null; // {id, row, detail}
let held = null; // what is shown while the list holds still
let rows = new Map();
let again = () => {};
let headers = () => ({});

export function begin(redraw, authorization) {
  headers = authorization;
  again = redraw;
  for (const id of ["trace-search", "trace-errors"]) byId(id).addEventListener("input", redraw);
  byId("trace-pause").addEventListener("change", redraw);
}

export function traces(store) {
  const off = store.parts.server?.telemetry_off;
  const place = byId("traces-body");
  if (off || !store.parts.traces) {
    say(byId("traces-sum"), "");
    place.replaceChildren(el("p", { class: "empty" }, off ? "There are no traces: telemetry is switched off (OTEL_SDK_DISABLED)." : "Traces are not available on this server."));
    rows = new Map();
    return;
  }
  const all = [...store.traces.values()].sort((a, b) => b.started - a.started);
  if (!byId("trace-pause").checked) held = null;
  else held ??= all;
  const fitting = (held ?? all).filter(matcher());
  const waiting = held ? all.filter((trace) => !held.includes(trace)).length : 0;
  const shown = fitting.slice(0, most);
  say(byId("traces-sum"), summary(all.length, fitting.length, shown.length, waiting, store.parts.traces));
  draw(place, shown, store.traces);
  more(place, fitting.length);
}

function more(place, fitting) {
  let button = place.querySelector("button.more");
  if (!button) {
    button = el("button", { type: "button", class: "more", click: () => {
      most = most === FIRST ? FIRST + MORE : FIRST;
      again();
    } });
    place.append(button);
  }
  button.hidden = fitting <= FIRST;
  say(button, most === FIRST ? `Show ${Math.min(fitting, FIRST + MORE) - FIRST} more` : "Show fewer");
}

function matcher() {
  const words = byId("trace-search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const errors = byId("trace-errors").checked;
  return (trace) => {
    if (errors && !trace.errors.length) return false;
    const text = [trace.name, trace.trace_id, ...trace.tools, ...trace.packages, ...trace.errors].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  };
}

function summary(all, fitting, shown, waiting, kept) {
  const parts = [fitting < all ? `${number(fitting)} of ${number(all)} traces fit` : `${number(all)} traces`];
  if (shown < fitting) parts.push(`the newest ${shown} are listed`);
  if (waiting) parts.push(`${number(waiting)} came since`);
  if (kept.forgotten) parts.push(`${number(kept.forgotten)} older ones were forgotten`);
  return `${parts.join(", ")}. Traces with errors and slow ones are kept longer.`;
}

function draw(place, shown, known) {
  let body = place.querySelector("tbody");
  if (!body) {
    const titles = [["Request", ""], ["Package", ""], ["Result", ""], ["Duration", "number"], ["Spans", "number"], ["Began", "number"]];
    body = el("tbody");
    place.replaceChildren(el("div", { class: "wide" }, el("table", { class: "traces" },
      el("caption", { class: "unseen" }, "Traces, newest first. The button in each row opens its spans below it."),
      el("thead", {}, el("tr", {}, ...titles.map(([title, kind]) => el("th", { scope: "col", class: kind }, title)))), body)));
    rows = new Map();
    open = null;
  }
  const wanted = new Map();
  for (const trace of shown) {
    const old = rows.get(trace.trace_id);
    wanted.set(trace.trace_id, old?.trace === trace ? old : { trace, row: row(trace), });
  }
  // An open trace stays while it is looked at.
  if (open && !wanted.has(open.id)) wanted.set(open.id, rows.get(open.id) ?? open.entry);
  const order = [...wanted.values()].flatMap((entry) => (open?.id === entry.trace.trace_id ? [entry.row, open.detail] : [entry.row]));
  arrange(body, order.length ? order : [el("tr", {}, el("td", { colspan: 6, class: "empty" }, known.size ? "Nothing fits the search." : "No requests yet."))]);
  rows = wanted;
  if (open) mark(rows.get(open.id).row, true);
}

function row(trace) {
  const more = trace.requests > 1 ? ` and ${trace.requests - 1} more requests` : "";
  const title = trace.tools.length === 1 ? trace.tools[0] : trace.name;
  const button = el("button", { type: "button", class: "link", "aria-expanded": "false", click: () => toggle(trace.trace_id) }, title);
  const result = trace.failed ? badge("bad", trace.errors[0] ?? "error") : trace.errors.length ? badge("warning", `ok after ${trace.errors[0]}`) : badge("ok");
  return el("tr", { "data-trace": trace.trace_id },
    el("th", { scope: "row" }, button, more),
    el("td", { class: "what" }, trace.packages.join(", ")),
    el("td", {}, result),
    el("td", { class: "number" }, duration(trace.duration)),
    el("td", { class: "number spans" }, number(trace.span_count)),
    el("td", { class: "number" }, moment(trace.started)));
}

const mark = (row, on) => row.querySelector("button").setAttribute("aria-expanded", String(on));

function close() {
  if (!open) return;
  open.detail.remove();
  const entry = rows.get(open.id);
  if (entry) mark(entry.row, false);
  open = null;
}

async function toggle(id) {
  const same = open?.id === id;
  close();
  if (same) return;
  const entry = rows.get(id);
  const cell = el("td", { colspan: 6, class: "waterfall-cell" }, el("p", { class: "muted" }, "Loading"));
  open = { id, entry, detail: el("tr", { class: "detail" }, cell) };
  entry.row.after(open.detail);
  mark(entry.row, true);
  const mine = open;
  try {
    const answer = await fetch(`status/traces/${encodeURIComponent(id)}`, { headers: headers(), cache: "no-store" });
    const facts = await answer.json();
    if (open === mine) cell.replaceChildren(answer.ok ? waterfall(facts) : el("p", { class: "empty" }, facts.error ?? `The server answered ${answer.status}.`));
  } catch {
    if (open === mine) cell.replaceChildren(el("p", { class: "empty" }, "The server does not answer. Close this and try again."));
  }
}

function waterfall(trace) {
  const spans = ordered(trace.spans);
  const began = Math.min(...trace.spans.map((span) => span.offset));
  const whole = Math.max(1e-6, ...trace.spans.map((span) => span.offset + span.duration)) - began;
  const head = el("p", { class: "small" }, "Trace ", el("code", {}, trace.trace_id), ` took ${duration(trace.duration)}`, trace.left_out ? `; ${trace.left_out} older spans were left out` : "");
  const scale = el("div", { class: "scale", "aria-hidden": "true" }, el("span"), el("span", { class: "ends" }, el("span", {}, "0"), el("span", {}, duration(whole / 2)), el("span", {}, duration(whole))), el("span"));
  return el("div", { class: "waterfall" }, head, scale, el("ol", {}, ...spans.map(({ span, depth }) => line(span, depth, began, whole))));
}

// Parents before children, in the order they began. A span whose parent is not kept begins at the left.
function ordered(spans) {
  const ids = new Set(spans.map((span) => span.span_id));
  const children = new Map();
  for (const span of spans) {
    const parent = ids.has(span.parent_id) ? span.parent_id : null;
    children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  const found = [];
  const walk = (parent, depth) => {
    for (const span of (children.get(parent) ?? []).sort((a, b) => a.offset - b.offset)) {
      found.push({ span, depth });
      walk(span.span_id, depth + 1);
    }
  };
  walk(null, 0);
  return found;
}

function line(span, depth, began, whole) {
  const failed = span.status === "ERROR";
  const bar = el("span", { class: "span-bar", "data-kind": failed ? "error" : span.kind.toLowerCase() });
  bar.style.marginInlineStart = `${Math.min(99.5, ((span.offset - began) / whole) * 100)}%`;
  bar.style.inlineSize = `${Math.max(0.5, Math.min(100, (span.duration / whole) * 100))}%`;
  const details = el("div", { class: "span-facts", hidden: true }, facts(span));
  const title = el("span", { class: "span-name" }, span.name, span.attributes["url.template"] ? el("span", { class: "muted" }, ` ${span.attributes["url.template"]}`) : null, failed ? el("span", { class: "bad" }, ` ${span.attributes["error.type"] ?? "error"}`) : null);
  title.style.paddingInlineStart = `${Math.min(depth, 8) * 0.9}rem`;
  const button = el("button", { type: "button", "aria-expanded": "false", class: "span-line" },
    title, el("span", { class: "span-track", "aria-hidden": "true" }, bar),
    el("span", { class: "number" }, el("span", { class: "unseen" }, `began after ${duration(span.offset - began)}, took `), duration(span.duration)));
  button.addEventListener("click", () => {
    details.hidden = !details.hidden;
    button.setAttribute("aria-expanded", String(!details.hidden));
  });
  return el("li", {}, button, details);
}

function facts(span) {
  const own = { kind: span.kind, "span id": span.span_id, ...span.attributes };
  if (span.status_description) own["status"] = `${span.status}: ${span.status_description}`;
  if (span.links.length) own["linked traces"] = span.links.join(", ");
  for (const event of span.events) own[`${event.name} after ${duration(event.offset - span.offset)}`] = Object.entries(event.attributes).map(([key, value]) => `${key}: ${value}`).join("\n");
  return el("dl", { class: "facts" }, ...Object.entries(own).flatMap(([key, value]) => [el("dt", {}, key), el("dd", {}, String(value))]));
}
