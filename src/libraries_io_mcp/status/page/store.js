// What the page knows: bounded, whatever the server sends.

const MOST_TRACES = 150;
const MOST_LOGS = 300;

export class Store {
  constructor() {
    this.reset();
  }

  reset() {
    this.parts = {};
    this.at = 0; // the server's clock at its last message, in seconds
    this.slices = [];
    this.traces = new Map(); // by id, the one that changed last at the end
    this.logs = [];
    this.logsLeftOut = 0;
    this.lastLog = 0;
  }

  // Takes one message in and returns what has changed: names of parts, "slices", "traces", "logs".
  take(event, data) {
    if (event === "snapshot") this.reset();
    this.at = data.at;
    const changed = new Set(Object.keys(data.parts));
    Object.assign(this.parts, data.parts);
    if (this.#takeSlices(data.slices) || event === "snapshot") changed.add("slices");
    if (this.#takeTraces(data.traces) || event === "snapshot") changed.add("traces");
    // What was left out before the page was opened, it never missed.
    if (this.#takeLogs(data.logs, event === "snapshot" ? 0 : data.logs_left_out) || event === "snapshot") changed.add("logs");
    return changed;
  }

  #takeSlices(slices) {
    const last = this.slices.length ? this.slices[this.slices.length - 1].number : -1;
    const fresh = slices.filter((slice) => slice.number > last);
    const most = this.parts.server?.series?.most_slices ?? 240;
    if (fresh.length) this.slices = this.slices.concat(fresh).slice(-most);
    return fresh.length > 0;
  }

  #takeTraces(traces) {
    for (const trace of traces) {
      this.traces.delete(trace.trace_id);
      this.traces.set(trace.trace_id, trace);
    }
    for (const id of this.traces.keys()) {
      if (this.traces.size <= MOST_TRACES) break;
      this.traces.delete(id);
    }
    return traces.length > 0;
  }

  #takeLogs(logs, leftOut) {
    const fresh = logs.filter((log) => log.number > this.lastLog);
    this.logsLeftOut += leftOut;
    if (fresh.length) {
      this.lastLog = fresh[fresh.length - 1].number;
      this.logs = this.logs.concat(fresh).slice(-MOST_LOGS);
    }
    return fresh.length > 0;
  }
}
