/** Whether something goes on for so long that it deserves a sentence: one that is gone again in a moment only disturbs. */

/** How long that is, in milliseconds. */
const LONG = 1000;

export class Lasting {
  readonly #onLong: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #long = false;

  /** `onLong` is called when it has become long. */
  constructor(onLong: () => void) {
    this.#onLong = onLong;
  }

  /** Whether it has gone on for long. */
  get isLong(): boolean {
    return this.#long;
  }

  /** Says whether it goes on. */
  follow(goesOn: boolean): void {
    if (!goesOn) this.stop();
    else
      this.#timer ??= setTimeout(() => {
        this.#long = true;
        this.#onLong();
      }, LONG);
  }

  /** Nothing goes on any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#long = false;
  }
}
