// Connects the stream, the store and the panels. Draws once a frame at most, and only what has changed.

import { byId, el, long, moment, say } from "./dom.js";
import * as figures from "./figures.js";
import * as panels from "./panels.js";
import { Store } from "./store.js";
import { Stream } from "./stream.js";
import * as traces from "./traces.js";

const store = new Store();
const PANELS = [
  [["health", "quota", "figures", "alerts"], figures.tiles],
  [["health"], panels.health],
  [["alerts"], panels.alerts],
  [["alert_history"], panels.history],
  [["figures", "slices", "server"], figures.tools],
  [["figures", "slices", "server"], figures.charts],
  [["quota"], figures.quota],
  [["cache"], figures.cache],
  [["figures", "slices", "breakers"], figures.upstream],
  [["traces", "server"], traces.traces],
  [["logs"], panels.logs],
  [["telemetry"], panels.telemetry],
  [["settings"], panels.settings],
];
const STATES = { connecting: "Connecting", live: "Live", paused: "Paused while hidden", offline: "Offline", refused: "Not allowed", busy: "Not served" };

let waiting = null;
let everything = false;
const changed = new Set();

function draw() {
  waiting = null;
  for (const [needs, panel] of PANELS) {
    if (everything || needs.some((name) => changed.has(name))) panel(store);
  }
  // Countdowns go on although their facts stay the same.
  if (!changed.has("quota") && store.parts.quota) {
    figures.quota(store);
    figures.tiles(store);
  }
  about();
  changed.clear();
  everything = false;
}

function later() {
  waiting ??= requestAnimationFrame(draw);
}

function redraw() {
  everything = true;
  later();
}

function about() {
  const { server, figures: known } = store.parts;
  if (server) say(byId("about"), `${server.version}, up ${long(known?.uptime_seconds ?? store.at - server.started_at)}`);
}

let state = "connecting";

function connection(now, details, status) {
  if (now === state && now !== "busy") return;
  state = now;
  const pill = byId("connection");
  pill.dataset.state = now;
  say(pill, STATES[now]);
  document.body.dataset.state = now;
  const login = now === "refused" && status === 401;
  if (login) byId("login").hidden = false;
  const notice = byId("notice");
  notice.hidden = now === "live" || now === "paused" || now === "connecting" || login;
  if (notice.hidden) return notice.replaceChildren();
  notice.replaceChildren(el("strong", {}, { offline: "The server does not answer. ", refused: "The server does not let this browser in. ", busy: `The server answered ${status}. ` }[now]),
    ...(store.at ? ["What you see is as of ", moment(store.at), ". "] : []), now === "offline" ? "Trying again by itself." : details ?? "");
}

const stream = new Stream("status/events", (event, data) => {
  for (const name of store.take(event, data)) changed.add(name);
  if (event === "snapshot") everything = true;
  later();
}, connection);

figures.begin(redraw);
traces.begin(redraw, () => stream.headers());
panels.begin(redraw, () => stream.headers(), () => {
  byId("login").hidden = false;
  byId("token").focus();
});
byId("login").addEventListener("submit", (event) => {
  event.preventDefault();
  stream.login(byId("token").value.trim());
  byId("token").value = "";
  byId("login").hidden = true;
});
stream.open();
