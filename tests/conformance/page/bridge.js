// A traitlets model over HTTP: what a notebook page gives a widget, without the notebook around it.

class Model {
  #state;
  #changed = {};
  #listeners = new Map();
  #sending = Promise.resolve();

  constructor(state) {
    this.#state = state;
  }

  get(trait) {
    return this.#state[trait];
  }

  set(trait, value) {
    this.#changed[trait] = value;
    this.#put({ [trait]: value });
  }

  save_changes() {
    const state = this.#changed;
    this.#changed = {};
    this.#post({ method: "update", state, buffer_paths: [] });
  }

  send(content, callbacks) {
    const handled = this.#post({ method: "custom", content });
    handled.then(() => callbacks?.iopub.status({ content: { execution_state: "idle" } }));
  }

  on(event, listener) {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  off(event, listener) {
    this.#listeners.set(
      event,
      (this.#listeners.get(event) ?? []).filter((other) => other !== listener),
    );
  }

  /** A message of the kernel. */
  receive({ method, state, content }) {
    if (method === "update") this.#put(state);
    if (method === "custom") this.#emit("msg:custom", content, []);
  }

  #put(state) {
    const changed = Object.keys(state).filter((trait) => state[trait] !== this.#state[trait]);
    Object.assign(this.#state, state);
    for (const trait of changed) this.#emit(`change:${trait}`);
  }

  #emit(event, ...values) {
    for (const listener of this.#listeners.get(event) ?? []) listener(...values);
  }

  // One after the other, in the order in which they were sent.
  #post(data) {
    this.#sending = this.#sending.then(() => fetch("/message", { method: "POST", body: JSON.stringify(data) }));
    return this.#sending;
  }
}

const kernel = new EventSource("/events");
kernel.addEventListener(
  "open-state",
  async ({ data }) => {
    const model = new Model(JSON.parse(data));
    kernel.addEventListener("message", (event) => {
      const message = JSON.parse(event.data);
      model.receive(message);
      // A test's own message, by which it knows that the page has seen all before it.
      if (message.content?.type === "mark") document.documentElement.dataset.mark = message.content.mark;
    });
    const { default: define } = await import("/auth.js");
    const widget = await define();
    await widget.initialize({ model });
    await widget.render({ model, el: document.getElementById("widget") });
  },
  { once: true },
);
