// Tiles, tools with their charts, the quota, the cache, and Libraries.io by endpoint.

import { Chart, sparkline } from "./charts.js";
import { badge, byId, bytes, duration, el, fill, long, notAvailable, number, percent, say, score, table, unknown } from "./dom.js";

const ALL = "tools/call";
const FIVE_MINUTES = 300;
const EVALUATED = { prometheus: "says Prometheus", in_process: "says this server", off: "nobody evaluates" };
const SHORTEST_RANGE = 120;
const SHORTEST_SLICE = 5; // seconds of the unfinished slice that say something about a rate

let calls = null;
let durations = null;

export function begin(redraw) {
  calls = new Chart(byId("chart-calls"), {
    title: "Calls a minute",
    format: (value) => String(Math.round(value * 10) / 10),
    series: [{ name: "calls", class: "accent", area: true }, { name: "of them failed", class: "bad", area: true }],
  });
  durations = new Chart(byId("chart-duration"), {
    title: "Duration of calls",
    format: duration,
    series: [{ name: "p50", class: "ok" }, { name: "p95", class: "accent" }, { name: "p99", class: "warning" }],
  });
  byId("operation").addEventListener("change", redraw);
  byId("range").addEventListener("change", redraw);
}

export function tiles(store) {
  const { health, quota, figures, alerts } = store.parts;
  const all = ofTools(figures);
  // An alert of no severity, such as the one that always fires, is no trouble.
  const firing = alerts?.summary ? Object.entries(alerts.summary).reduce((sum, [severity, count]) => sum + (severity === "none" ? 0 : count), 0) : null;
  const made = [
    tile("Health", health?.status ? badge(health.status) : unknown(), score(health)),
    tile("Alerts firing", firing === null ? unknown() : el("span", { class: firing ? "bad" : "" }, number(firing)), EVALUATED[alerts?.evaluated_by] ?? "not available"),
    tile("Quota left", quota ? number(quota.remaining) : unknown(), quota ? `of ${number(quota.limit)}, ${renews(quota, store)}` : ""),
    tile("Tool calls", all ? number(all.count) : "0", `in ${long(Math.min(FIVE_MINUTES, figures?.uptime_seconds ?? FIVE_MINUTES))}`),
    tile("Success", all ? percent(all.success) : unknown(), all ? `${number(all.failures)} failed` : "no calls yet"),
    tile("95 % faster than", all ? duration(all.p95) : unknown(), all ? `half: ${duration(all.p50)}` : "no calls yet"),
  ];
  fill(byId("tiles"), el("dl", {}, ...made));
}

function tile(title, value, more) {
  return el("div", { class: "tile" }, el("dt", {}, title), el("dd", {}, el("span", { class: "value" }, value), el("span", { class: "muted small" }, more)));
}

// All tools together over the last five minutes.
function ofTools(figures) {
  const together = figures?.tools;
  if (!together) return null;
  return { count: together.count, failures: together.failures, success: together.success_rate, p50: together.median, p95: together.p95 };
}

export function tools(store) {
  const figures = store.parts.figures;
  if (!figures || figures.unavailable) return fill(byId("tools-body"), notAvailable(figures, "Measuring"));
  if (store.parts.server?.telemetry_off) {
    return fill(byId("tools-body"), el("p", { class: "empty" }, "Telemetry is switched off (OTEL_SDK_DISABLED), so nothing is measured: there are no figures and no traces."));
  }
  const names = Object.keys(figures.operations).sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  choose(names);
  const rows = names.map((name) => [label(name), sparkline(counts(store, "operations", name)), ...cells(figures.operations[name].last_5_minutes), total(figures.operations[name])]);
  const columns = [["Operation", ""], ["15 min", "spark-cell"], ...COLUMNS, ["Since start", "number"]];
  fill(byId("tools-body"), rows.length ? table("Calls by operation", columns, rows) : el("p", { class: "empty" }, "No calls yet."));
}

const COLUMNS = [["Calls", "number"], ["Errors", "number"], ["Success", "number"], ["p50", "number"], ["p95", "number"], ["p99", "number"]];
const rank = (name) => (name.startsWith(`${ALL} `) ? 0 : 1);
const label = (name) => (name.startsWith(`${ALL} `) ? name.slice(ALL.length + 1) : el("span", { class: "muted" }, name));

function cells(facts) {
  if (!facts) return ["0", ...COLUMNS.slice(1).map(() => el("span", { class: "muted" }, "–"))];
  const failures = facts.failures ? el("span", { class: "bad" }, number(facts.failures)) : "0";
  return [number(facts.count), failures, percent(facts.success_rate), duration(facts.median), duration(facts.p95), duration(facts.p99)];
}

const total = (facts) => number(facts.since_start?.count ?? 0);

function choose(names) {
  const select = byId("operation");
  const wanted = [ALL, ...names];
  if (wanted.join() === [...select.options].map((option) => option.value).join()) return;
  const chosen = select.value;
  select.replaceChildren(...wanted.map((name) => el("option", { value: name }, name === ALL ? "all tools together" : name.replace(`${ALL} `, ""))));
  select.value = wanted.includes(chosen) ? chosen : ALL;
}

export function charts(store) {
  // A young server has not more to show than its life.
  const range = Math.min(Number(byId("range").value), Math.max(SHORTEST_RANGE, Math.ceil((store.parts.figures?.uptime_seconds ?? 0) / 60) * 60));
  const points = rows(store, "operations", byId("operation").value || ALL, range);
  const times = points.map((point) => point.time);
  const known = (pick) => points.map((point) => (point.row ? pick(point.row) : null));
  calls.show(times, [points.map((point) => point.rate), points.map((point) => (point.row?.[0] ? (point.row[1] / point.row[0]) * point.rate : 0))], range);
  durations.show(times, [known((row) => row[2]), known((row) => row[3]), known((row) => row[4])], range);
}

// One point a slice of the last `range` seconds, from the first that the server has: its time before now, calls a
// minute, and its row if anything ended in it.
function rows(store, kind, name, range) {
  const current = store.parts.figures?.slice;
  const seconds = store.parts.server?.series?.slice_seconds ?? 15;
  if (!current) return [];
  const found = new Map(store.slices.map((slice) => [slice.number, slice[kind]?.[name]]));
  const points = [];
  for (let slice = Math.max(0, current.number - Math.ceil(range / seconds)); slice < current.number; slice += 1) {
    const time = (slice + 1 - current.number) * seconds - current.seconds;
    const row = found.get(slice);
    if (time >= -range) points.push({ time, row, rate: row ? (row[0] * 60) / seconds : 0 });
  }
  const row = current[kind]?.[name];
  if (current.seconds >= SHORTEST_SLICE) points.push({ time: 0, row, rate: row ? (row[0] * 60) / current.seconds : 0 });
  return points;
}

const counts = (store, kind, name) => rows(store, kind, name, 900).map((point) => point.rate);

export function quota(store) {
  const facts = store.parts.quota;
  const place = byId("quota-body");
  if (!facts || facts.unavailable) return fill(place, notAvailable(facts, "The quota"));
  const share = facts.limit ? facts.remaining / facts.limit : 0;
  say(byId("quota-sum"), facts.key_present ? "with an API key" : "without an API key");
  const gauge = el("meter", { min: 0, max: Math.max(1, facts.limit), low: facts.limit * 0.25, optimum: facts.limit, value: facts.remaining, "aria-label": "Requests left" }, `${facts.remaining} of ${facts.limit}`);
  fill(place,
    el("p", { class: "big" }, el("strong", { class: share < 0.1 ? "bad" : "" }, number(facts.remaining)), ` of ${number(facts.limit)} requests left`),
    gauge,
    el("dl", { class: "facts" },
      ...pair("Window", `${long(facts.window_seconds)}, ${renews(facts, store)}`),
      ...pair("Waiting for it", facts.waiting ? el("span", { class: "warning" }, `${number(facts.waiting)} questions`) : "nobody"),
      ...pair("Known from", facts.known_from === "service" ? "Libraries.io's replies" : "the configuration; Libraries.io has not confirmed it yet")));
}

const renews = (facts, store) => `renews in ${long(Math.max(0, facts.resets_at - store.at))}`;

export function cache(store) {
  const facts = store.parts.cache;
  const place = byId("cache-body");
  if (!facts || facts.unavailable) return fill(place, notAvailable(facts, "The cache"));
  say(byId("cache-sum"), facts.store === "memory" ? "in memory" : "in memory and Redis");
  const spared = ["hit", "negative", "coalesced", "stale"].reduce((sum, name) => sum + (facts.lookups[name] ?? 0), 0);
  const meaning = { hit: "answered from the cache", miss: "asked Libraries.io", coalesced: "waited for another's question", negative: "known not to exist", stale: "old answer in an outage" };
  fill(place,
    el("p", { class: "big" }, facts.total ? el("strong", {}, percent(spared / facts.total)) : unknown(), facts.total ? ` of ${number(facts.total)} look-ups cost no request` : ": nothing looked up yet"),
    facts.total ? el("meter", { min: 0, max: facts.total, value: spared, "aria-label": "Look-ups that cost no request" }, percent(spared / facts.total)) : null,
    el("dl", { class: "facts" },
      ...Object.keys(meaning).filter((name) => facts.lookups[name]).flatMap((name) => pair(words(name), `${number(facts.lookups[name])}, ${meaning[name]}`)),
      ...pair("Kept", `${number(facts.entries)} of at most ${number(facts.max_entries)} answers`),
      ...pair("Memory", `${bytes(facts.size_bytes)} of at most ${bytes(facts.max_bytes)}`)));
}

const pair = (term, value) => [el("dt", {}, term), el("dd", {}, value)];

export function upstream(store) {
  const { figures, breakers } = store.parts;
  const place = byId("upstream-body");
  if (!figures || figures.unavailable) return fill(place, notAvailable(figures, "Measuring"));
  const made = [];
  if (breakers && Object.keys(breakers).length) {
    made.push(el("ul", { class: "inline", "aria-label": "Circuit breakers" }, ...Object.entries(breakers).map(([group, each]) =>
      el("li", {}, badge(each.state, `${group}: ${breaker(each)}`)))));
  }
  const rows = Object.entries(figures.libraries_io_calls).map(([name, each]) =>
    [el("code", {}, name), sparkline(counts(store, "libraries_io_calls", name)), ...cells(each.last_5_minutes), total(each)]);
  made.push(rows.length ? table("Questions to Libraries.io by endpoint", [["Endpoint", ""], ["15 min", "spark-cell"], ...COLUMNS, ["Since start", "number"]], rows) : el("p", { class: "empty" }, store.parts.server?.telemetry_off ? "Not measured: telemetry is switched off." : "Libraries.io was not asked yet."));
  fill(place, ...made);
}

function breaker(facts) {
  if (facts.state === "closed") return facts.failures ? `${facts.failures} failures in a row` : "works";
  return facts.state === "open" ? `not asked for ${long(facts.retry_in_seconds)} more` : "being tried again";
}

const words = (name) => String(name).replaceAll("_", " ");
