/** A text of how much time is left, kept right by the clock. It is read once, not at every change. */

const SECOND = 1000;
const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** How often the clock is looked at, in milliseconds; the text names minutes until the last one. */
const TICK = 1000;

export class TimeLeft {
  readonly root: HTMLElement;
  readonly #say: (left: string) => string;
  readonly #over: () => void;
  #endsAt: number | null = null;
  #isOver = false;
  #ticking: ReturnType<typeof setInterval> | undefined;

  /** `say` puts the time into a sentence; `over` is called once when there is none left. */
  constructor(root: HTMLElement, say: (left: string) => string, over: () => void) {
    this.root = root;
    this.root.setAttribute("aria-live", "off");
    this.#say = say;
    this.#over = over;
  }

  /** Counts to a time in Unix seconds; null for none. */
  show(endsAt: number | null): void {
    if (endsAt !== this.#endsAt) this.#isOver = false;
    this.#endsAt = endsAt;
    this.root.hidden = endsAt === null;
    if (endsAt === null) this.dispose();
    else {
      this.#ticking ??= setInterval(() => this.#tick(), TICK);
      this.#tick();
    }
  }

  /** Stops the clock. */
  dispose(): void {
    clearInterval(this.#ticking);
    this.#ticking = undefined;
  }

  #tick(): void {
    const seconds = Math.ceil((this.#endsAt ?? 0) - Date.now() / SECOND);
    const text = this.#say(inWords(seconds));
    // Only when it changed: a selection of it survives.
    if (this.root.textContent !== text) this.root.textContent = text;
    if (seconds > 0 || this.#isOver) return;
    this.#isOver = true;
    this.#over();
  }
}

/** A time of day's length at most, as people say it. */
export function inWords(seconds: number): string {
  if (seconds < MINUTE) return seconds > 0 ? `${seconds} s` : "";
  const minutes = Math.floor(seconds / MINUTE);
  if (seconds < HOUR) return `${minutes} min`;
  return `${Math.floor(seconds / HOUR)} h ${minutes % MINUTE} min`;
}
