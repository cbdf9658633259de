// Server-sent events over fetch: EventSource can carry no token, and does not say why it was refused.
// Closed while the tab is hidden; comes back by itself after anything else.

const SILENCE_MS = 15000; // the server speaks every two seconds; after this the connection is dead
const LONGEST_WAIT_MS = 10000;
const LONGEST_MESSAGE = 16e6;

export class Stream {
  #path; #tell; #say; #token = null; #stop = null; #retry = null; #failures = 0;

  // `tell(event, data)` gets each message, `say(state, details)` each change: live, offline, paused, refused, busy.
  constructor(path, tell, say) {
    this.#path = path;
    this.#tell = tell;
    this.#say = say;
    document.addEventListener("visibilitychange", () => (document.hidden ? this.pause() : this.open()));
    addEventListener("pagehide", () => this.pause());
    addEventListener("pageshow", (event) => { if (event.persisted) this.open(); });
    addEventListener("online", () => { if (this.#retry) this.open(); });
  }

  headers() {
    return this.#token ? { authorization: `Bearer ${this.#token}` } : {};
  }

  login(token) {
    this.#token = token;
    this.open();
  }

  pause() {
    this.#end();
    this.#say("paused");
  }

  open() {
    this.#end();
    if (document.hidden) return;
    const stop = (this.#stop = new AbortController());
    this.#read(stop).catch((error) => {
      if (this.#stop === stop) this.#failed("offline", String(error && error.message || error));
    });
  }

  async #read(stop) {
    let watch = setTimeout(() => stop.abort("silence"), SILENCE_MS);
    try {
      const answer = await fetch(this.#path, { headers: this.headers(), cache: "no-store", signal: stop.signal });
      if (!answer.ok) {
        const said = words((await answer.text()).slice(0, 1000).trim());
        if (this.#stop === stop) this.#failed(answer.status === 401 || answer.status === 403 ? "refused" : "busy", said, answer.status);
        return;
      }
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let buffer = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) throw new Error("the server has closed the connection");
        clearTimeout(watch);
        watch = setTimeout(() => stop.abort("silence"), SILENCE_MS);
        buffer += value;
        if (buffer.length > LONGEST_MESSAGE) throw new Error("a message is too long");
        for (let end; (end = buffer.indexOf("\n\n")) >= 0; buffer = buffer.slice(end + 2)) this.#message(buffer.slice(0, end));
      }
    } finally {
      clearTimeout(watch);
      stop.abort();
    }
  }

  #message(block) {
    let event = "message";
    let data = "";
    for (const line of block.split("\n")) {
      if (line.startsWith("event: ")) event = line.slice(7);
      else if (line.startsWith("data: ")) data += line.slice(6);
    }
    if (!data) return;
    this.#failures = 0;
    this.#say("live");
    this.#tell(event, JSON.parse(data));
  }

  #failed(state, details, status) {
    this.#end();
    this.#say(state, details, status);
    if (state === "refused") return;
    this.#failures += 1;
    const wait = Math.min(LONGEST_WAIT_MS, 1000 * 2 ** (this.#failures - 1)) * (0.8 + 0.4 * Math.random());
    this.#retry = setTimeout(() => this.open(), wait);
  }

  #end() {
    const stop = this.#stop;
    this.#stop = null;
    if (stop) stop.abort();
    clearTimeout(this.#retry);
    this.#retry = null;
  }
}

// What a refusal says to people: its own words, or those inside its JSON.
function words(said) {
  try {
    return JSON.parse(said).what_to_do ?? said;
  } catch {
    return said;
  }
}
