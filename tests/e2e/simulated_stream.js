// In place of the stream alone: the page's own code reads it, keeps what it tells, and draws. TICK (seconds between two
// messages) and FIRST (a real server's first message) stand before it; the test says by window.until how far to go.
const first = JSON.parse(FIRST);
const real = window.fetch;
window.ticks = 0;
window.until = 0;
const text = (event, data) => new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
const figures = (count) => ({count, failures: count % 7, success_rate: 0.9, min: 0.001, max: 2, mean: 0.1, median: 0.05, p95: 0.5, p99: 1});
function tick(number) {
  const at = first.at + number * TICK;
  const operations = {};
  const row = {};
  for (let tool = 0; tool < 12; tool += 1) {
    operations[`tools/call tool_${tool}`] = {last_5_minutes: figures(number % 50 + tool), since_start: figures(number + tool)};
    row[`tools/call tool_${tool}`] = [1 + number % 50, 1, 0.05, 0.5, 1];
  }
  row["tools/call"] = [3 + number % 500, 3, 0.05, 0.5, 1];
  const slice = Math.floor(number * TICK / 15);
  const data = {
    at, logs_left_out: number % 3,
    parts: {
      figures: {...first.parts.figures, uptime_seconds: number * TICK, operations, tools: figures(number), slice: {number: slice, seconds: 9, operations: row, libraries_io_calls: {}}},
      quota: {...first.parts.quota, remaining: number % 60, resets_at: at + 20},
      alerts: {evaluated_by: "in_process", since: null, summary: {critical: 0, high: 1, medium: 0, low: 0, none: 0}, problems: [],
               active: [{fingerprint: `f${number % 5}`, name: `Alert${number % 5}`, severity: "high", state: "firing", summary: "s", description: "", runbook_url: null, value: number, labels: {}, active_since: null, fired_at: null, resolved_by_hand: false}]},
    },
    slices: [{number: slice - 1, operations: row, libraries_io_calls: {"/search": [1, 0, 0.1, 0.1, 0.1]}}],
    traces: Array.from({length: 20}, (_, index) => ({trace_id: `${number}-${index}`, name: "tools/call tool_1", tools: ["tool_1"], packages: [`npm/package-${number}-${index}`], errors: index % 5 ? [] : ["not_found"], failed: !(index % 5), started: at, duration: 0.1, requests: 1, span_count: 3, left_out: 0})),
    logs: Array.from({length: 40}, (_, index) => ({number: 1e6 + number * 40 + index, timestamp: new Date(at * 1000).toISOString(), level: index % 9 ? "INFO" : "WARNING", logger: "l", message: `message ${number} ${index}`, request_id: `${number}-${index}`})),
  };
  return text("tick", data);
}
window.fetch = (path, options) => {
  if (!String(path).startsWith("status/events")) return real(path, options);
  const body = new ReadableStream({
    async pull(controller) {
      if (!window.ticks) {
        window.ticks = 1;
        controller.enqueue(text("snapshot", first));
        return;
      }
      while (window.ticks >= window.until) await new Promise((done) => setTimeout(done, 50));
      await new Promise((done) => setTimeout(done, 0));
      controller.enqueue(tick(window.ticks));
      window.ticks += 1;
    },
  }, {highWaterMark: 1});
  return Promise.resolve(new Response(body, {headers: {"content-type": "text/event-stream"}}));
};
