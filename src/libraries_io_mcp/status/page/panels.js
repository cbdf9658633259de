// Health, alerts, the log, telemetry's ways out, settings.

import { arrange, badge, byId, duration, el, fill, long, moment, notAvailable, number, say, score, table, unknown } from "./dom.js";

const LEVELS = { DEBUG: 10, INFO: 20, WARNING: 30, ERROR: 40, CRITICAL: 50 };
const LINES = 200;
const SHOWN_FIELDS = new Set(["number", "timestamp", "level", "logger", "message", "module", "function", "line"]);

export function health(store) {
  const report = store.parts.health;
  const place = byId("health-body");
  if (!report || report.unavailable) {
    say(byId("health-sum"), "");
    return fill(place, notAvailable(report, "The health report"));
  }
  say(byId("health-sum"), score(report));
  const items = Object.entries(report.checks).map(([name, check]) => {
    const age = check.age_seconds === null || check.age_seconds === undefined ? "not looked at yet" : `looked ${long(check.age_seconds)} ago`;
    const took = check.response_time_seconds === null || check.response_time_seconds === undefined ? "" : `, took ${duration(check.response_time_seconds)}`;
    return el("li", {},
      el("div", { class: "line" }, el("strong", {}, name.replaceAll("_", " ")), check.critical ? el("span", { class: "tag" }, "critical") : null, el("span", { class: "push" }, badge(check.status))),
      el("p", { class: "muted small" }, age + took),
      check.error ? el("p", { class: "small" }, check.error) : null,
      check.what_to_do ? el("p", { class: "small" }, el("strong", {}, "What to do: "), check.what_to_do) : null);
  });
  fill(place, el("ul", { class: "list" }, ...items));
}

let headers = () => ({});
let ask = () => {};
const resolving = new Set();

export function begin(redraw, authorization, askForToken) {
  headers = authorization;
  ask = askForToken;
  for (const id of ["log-level", "log-search", "log-pause", "settings-changed"]) byId(id).addEventListener("input", redraw);
}

export function alerts(store) {
  const facts = store.parts.alerts;
  const place = byId("alerts-active");
  if (!facts || facts.unavailable) {
    say(byId("alerts-sum"), "");
    return fill(place, notAvailable(facts, "Alerting"));
  }
  say(byId("alerts-sum"), `evaluated by ${{ prometheus: "Prometheus", in_process: "this server", off: "nobody: switched off" }[facts.evaluated_by] ?? facts.evaluated_by}`);
  const problems = (facts.problems ?? []).map((problem) => el("p", { class: "small warning" }, `Rule problem: ${problem}`));
  const focused = document.activeElement?.dataset?.resolve;
  const items = facts.active.map(alert);
  place.replaceChildren(...problems, items.length ? el("ul", { class: "list" }, ...items) : el("p", { class: "empty" }, facts.evaluated_by === "off" ? "Alerts are not evaluated." : "No alert is active."));
  if (focused) place.querySelector(`[data-resolve="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

function alert(each) {
  const busy = resolving.has(each.fingerprint);
  const said = each.summary || each.description;
  const since = each.fired_at ?? each.active_since;
  return el("li", { "data-alert": each.name },
    el("div", { class: "line" }, el("strong", {}, each.name), el("span", { class: "tag", "data-severity": each.severity }, each.severity),
      el("span", { class: "push" }, each.resolved_by_hand ? badge("unknown", "resolved by hand") : each.severity === "none" ? badge("unknown", each.state) : badge(each.state))),
    said ? el("p", { class: "small" }, said) : null,
    el("p", { class: "muted small" }, each.resolved_by_hand ? "its condition holds since " : `${each.state} since `, moment(since), each.value === null || each.value === undefined ? "" : `, value ${rounded(each.value)}`, labels(each.labels)),
    el("div", { class: "row" },
      each.resolved_by_hand || each.severity === "none" ? null : el("button", { type: "button", "data-resolve": each.fingerprint, "aria-disabled": busy ? "true" : null, "aria-label": `Resolve ${each.name}`, click: () => resolve(each) }, busy ? "Resolving" : "Resolve"),
      runbook(each.runbook_url)));
}

// Only a web address becomes a link: anything else in a rule file could be a script.
function runbook(url) {
  if (!/^https?:\/\//i.test(url ?? "")) return null;
  return el("a", { href: url, rel: "noreferrer", target: "_blank" }, "Runbook");
}

const rounded = (value) => (typeof value === "number" ? Number(value.toPrecision(4)) : value);

function labels(all) {
  const shown = Object.entries(all ?? {}).filter(([name]) => !["alertname", "severity", "service_name"].includes(name));
  return shown.length ? `, ${shown.map(([name, value]) => `${name}=${value}`).join(", ")}` : "";
}

async function resolve(each) {
  if (resolving.has(each.fingerprint)) return;
  resolving.add(each.fingerprint);
  try {
    const answer = await fetch(`alerts/${encodeURIComponent(each.fingerprint)}/resolve`, { method: "POST", headers: headers() });
    if (answer.status === 401) ask();
    say(byId("alerts-said"), answer.ok ? `${each.name} ${(await answer.json()).already ? "was resolved already" : "is resolved"}.` : `${each.name} could not be resolved: the server ${answer.status === 401 ? "asks for its token" : `answered ${answer.status}`}.`);
  } catch {
    say(byId("alerts-said"), `${each.name} could not be resolved: the server does not answer.`);
  } finally {
    resolving.delete(each.fingerprint);
  }
}

export function history(store) {
  const facts = store.parts.alert_history;
  const place = byId("alerts-history");
  if (!facts || facts.unavailable) {
    say(byId("alerts-past-count"), "");
    return fill(place, notAvailable(facts, "The history"));
  }
  say(byId("alerts-past-count"), `(${number(facts.events.length)})`);
  const rows = facts.events.slice(0, 100).map((event) => [moment(event.at), event.name, event.severity, event.event.replaceAll("_", " "), event.value === null || event.value === undefined ? "–" : String(rounded(event.value))]);
  fill(place, rows.length ? table("Alert history, newest first", [["When", "number"], ["Alert", ""], ["Severity", ""], ["Became", ""], ["Value", "number"]], rows) : el("p", { class: "empty" }, "Nothing has happened yet."),
    facts.dropped ? el("p", { class: "muted small" }, `${number(facts.dropped)} older events were dropped.`) : "");
}

let heldLogs = null;
const drawn = new WeakMap();

export function logs(store) {
  const place = byId("logs-body");
  if (!byId("log-pause").checked) heldLogs = null;
  else heldLogs ??= store.logs;
  const least = Number(byId("log-level").value);
  const words = byId("log-search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const fitting = (heldLogs ?? store.logs).filter((log) => (LEVELS[log.level] ?? 50) >= least && words.every((word) => text(log).includes(word)));
  const shown = fitting.slice(-LINES).reverse();
  const left = store.logsLeftOut ? ` ${number(store.logsLeftOut)} came too fast to be shown.` : "";
  say(byId("logs-sum"), `${number(shown.length)} of the last ${number(store.logs.length)} records, newest first.${left} Warnings and errors are kept longer.`);
  const lines = shown.map((log) => drawn.get(log) ?? line(log));
  if (!lines.length) return place.replaceChildren(el("p", { class: "empty" }, store.logs.length ? "Nothing fits." : "No records yet."));
  let list = place.querySelector("ol");
  if (!list) place.replaceChildren((list = el("ol", { class: "log" })));
  arrange(list, lines);
}

const texts = new WeakMap();

function text(log) {
  if (!texts.has(log)) texts.set(log, JSON.stringify(log).toLowerCase());
  return texts.get(log);
}

function line(log) {
  const more = Object.entries(log).filter(([key]) => !SHOWN_FIELDS.has(key));
  const head = [el("span", { class: "muted" }, moment(log.timestamp)), el("span", { class: "level", "data-level": log.level }, log.level ?? "unknown"), el("span", { class: "message" }, log.message)];
  const made = el("li", {}, more.length
    ? el("details", {}, el("summary", {}, ...head), el("dl", { class: "facts" }, el("dt", {}, "logger"), el("dd", {}, log.logger ?? unknown()), ...more.flatMap(([key, value]) => [el("dt", {}, key), el("dd", {}, typeof value === "string" ? value : JSON.stringify(value))])))
    : el("div", { class: "plain" }, ...head));
  drawn.set(log, made);
  return made;
}

export function telemetry(store) {
  const facts = store.parts.telemetry;
  const place = byId("telemetry-body");
  if (!facts || facts.unavailable) return fill(place, notAvailable(facts, "The telemetry pipeline"));
  const made = [];
  if (facts.off) made.push(el("p", { class: "empty" }, "Telemetry is switched off (OTEL_SDK_DISABLED): no spans, no metrics. Log lines are written as ever."));
  const bad = (value) => (value ? el("span", { class: "bad" }, number(value)) : "0");
  const rows = facts.ways.map((way) => [`${way.signal} by ${way.way}`, number(way.waiting), number(way.delivered), bad(way.failed), bad(way.dropped), moment(way.last_success), way.last_error ?? "–"]);
  if (rows.length) made.push(table("Signals by way out", [["Signal", ""], ["Queued", "number"], ["Sent", "number"], ["Failed", "number"], ["Dropped", "number"], ["Last sent", "number"], ["Last error", ""]], rows));
  else if (!facts.off) made.push(el("p", { class: "empty" }, "Nothing is sent anywhere: no OTLP endpoint and no file is set. /metrics can be scraped all the same."));
  const lines = facts.destinations.map((each) => [each.name, number(each.queued), bad(each.dropped), each.error ?? "works"]);
  if (lines.length) made.push(table("Log lines by destination", [["Log lines", ""], ["Queued", "number"], ["Dropped", "number"], ["State", ""]], lines));
  fill(place, ...made);
}

export function settings(store) {
  const all = store.parts.settings;
  const place = byId("settings-body");
  if (!Array.isArray(all)) return fill(place, notAvailable(all, "The list of settings"));
  const shown = byId("settings-changed").checked ? all.filter((each) => !each.is_default) : all;
  const rows = shown.map((each) => [el("code", { title: each.description ?? "" }, each.variable), each.value === null ? el("span", { class: "muted" }, "not set") : el("code", {}, each.value), each.is_default ? el("span", { class: "muted" }, "default") : "given"]);
  fill(place, rows.length ? table("Settings", [["Variable", ""], ["Value", ""], ["From", ""]], rows) : el("p", { class: "empty" }, "Everything is at its default."));
}
