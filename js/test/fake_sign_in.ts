/** Stands in for the class of the WebAssembly: it notes what it is told, and the test sends its events. */

import type { FlowEvent } from "tokentoss:glue";
import type { Runtime } from "../src/load.ts";

type Status = Extract<FlowEvent, { type: "status" }>;

export interface FakeSignIns {
  /** What every sign-in was told, in order: the ticket's id and the call. */
  calls: string[];
  /** The instance that it stands in for; `trap` ends it. */
  runtime: Runtime;
  trap(): void;
  /** Sends an event of the newest sign-in. */
  emit(event: FlowEvent): void;
  /** Sends a status of the newest sign-in. */
  show(phase: Status["phase"], parts?: Partial<Status>): void;
}

export function fakeSignIns(): FakeSignIns {
  const calls: string[] = [];
  let emit: (event: FlowEvent) => void = () => {};
  let askedKernel = false;

  class FakeSignIn {
    readonly #id: string;
    /** The first belongs to every sign-in, and is not noted. */
    #connections = 0;

    constructor(ticket: { id?: string; refused?: string }, onEvent: (event: FlowEvent) => void) {
      if (ticket.refused) throw Object.assign(new Error("The ticket is no good."), { code: ticket.refused });
      this.#id = ticket.id ?? "";
      this.#note("new");
      emit = onEvent;
      emit(status("ready"));
    }

    signIn() {
      this.#note("signIn");
      emit(status("waiting", { way: "loopback", link: "http://127.0.0.1:1/tokentoss/start" }));
    }

    askForCode() {
      this.#note("askForCode");
      emit(status("code"));
    }

    linkCopied() {
      this.#note("linkCopied");
      emit(status("waiting", { way: "paste", link: "https://issuer.example/authorize?x" }));
    }

    paste(address: string) {
      this.#note(`paste ${address}`);
    }

    connected() {
      this.#connections += 1;
      if (this.#connections > 1) this.#note("connected");
    }

    introduced(key: string, sealed: string) {
      this.#note(`introduced ${key} ${sealed}`);
    }

    registered(key: string, sealed: string) {
      this.#note(`registered ${key} ${sealed}`);
    }

    linkFollowed() {
      this.#note("linkFollowed");
    }

    cancel() {
      this.#note("cancel");
    }

    relay(sealed: string) {
      this.#note(`relay ${sealed}`);
    }

    acknowledge(ticketId: string, code: string, message: string) {
      this.#note(`acknowledge ${[ticketId, code, message].join(" ").trim()}`);
      const refused = { code, message };
      emit(code ? status("failed", refused) : status("done"));
    }

    kernelCodeShown(user_code: string, verification_uri: string, page: string, expires_at: number) {
      this.#note("kernelCodeShown");
      emit(status("code", { to_enter: { user_code, verification_uri, page, expires_at } }));
    }

    kernelCodeFailed(code: string, message: string) {
      this.#note("kernelCodeFailed");
      if (askedKernel) emit(status("failed", { code, message }));
    }

    kernelCodeEnded() {
      this.#note("kernelCodeEnded");
    }

    kernelLost() {
      this.#note("kernelLost");
    }

    free() {
      this.#note("free");
    }

    [Symbol.dispose]() {
      this.free();
    }

    #note(call: string) {
      calls.push(`${this.#id} ${call}`);
    }
  }

  const onTrap = new Set<() => void>();
  return {
    calls,
    runtime: { SignIn: FakeSignIn, onTrap },
    trap() {
      for (const tell of onTrap) tell();
    },
    emit: (event) => {
      askedKernel = event.type === "ask_kernel_for_code";
      emit(event);
    },
    show: (phase, parts) => emit(status(phase, parts)),
  };
}

function status(phase: Status["phase"], parts: Partial<Status> = {}): Status {
  const nothing = {
    way: null,
    link: null,
    code: null,
    message: null,
    subject: null,
    paste_problem: null,
    paste_code: null,
  };
  return { type: "status", phase, ...nothing, to_enter: null, ...parts };
}
