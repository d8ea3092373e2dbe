/** What the kernel and the page say to each other: the synced traits of `AuthWidget` and its custom messages. */

import type { CodeToEnter, Phase, TicketData, Way } from "tokentoss:glue";
import type { SentTexts } from "./texts.ts";

export type { Way } from "tokentoss:glue";

/** How the sign-in button looks and which provider it names. */
export interface Branding {
  name: string;
  style: "google" | "generic";
  /** Colours of the button, `#rrggbb`; the style's own where they are missing. */
  background?: string;
  foreground?: string;
  border?: string;
  /** A `data:image/` address. */
  icon?: string;
  /** Whether the text that can be passed on by hand is the code of a broker's page, and not an address. */
  confirms?: true;
}

/** A sign-in at a broker that can be clicked. */
export interface Offer {
  id: string;
  /** The broker's page for the popup. */
  url: string;
  /** The origin of the broker's pages. */
  origin: string;
  /** Whether the broker's page shows a code to copy. */
  confirm: boolean;
}

/** `{}` while no ticket is outstanding; all of it goes to the WebAssembly untouched. */
export type Ticket = TicketData | Record<string, never>;

/** A user code to enter on another device (RFC 8628). */
export interface DeviceCode extends CodeToEnter {
  /** An image of `page`, as a data URL; "" until it is drawn. */
  qr: string;
}

/** Another account than the one in use; `{}` where none is offered. */
export type Choice = Partial<Chosen> & { offered?: boolean };

/** What there is to choose from. */
export interface Chosen {
  accounts: { id: string; name: string }[];
  /** Who is signed in meanwhile, or "". */
  current: string;
  /** Whether the provider can be made to ask which account to use. */
  provider_asks: boolean;
}

/** The synced traits of the Python widget. */
export interface Traits {
  branding: Branding;
  ticket: Ticket;
  /** `{}` while no sign-in at a broker can be clicked; missing where there is no broker. */
  broker?: Offer | Record<string, never>;
  /** The only trait that the page writes: a sealed envelope, or "" once Python took it; sent again as a message. */
  sealed_tokens: string;
  /** Id of the last ticket whose envelope Python decided on. */
  acknowledged: string;
  /** Whether the provider gives codes for other devices. */
  offers_code: boolean;
  /** `{}` while there is no code to enter. */
  code: DeviceCode | Record<string, never>;
  /** What there is to know before a sign-in, such as that the session has ended; missing in older kernels. */
  notice?: string;
  choice?: Choice;
  /** What Python says of the sign-in as a whole. */
  status: string;
  error: string;
  error_code: string;
  texts?: SentTexts;
  user_email: string;
  is_authenticated: boolean;
}

/** Page to kernel. */
export type ToKernel =
  | { type: "sign_out" }
  | { type: "choose_account" }
  | { type: "keep_account" }
  | { type: "use_account"; id: string }
  | { type: "refresh" }
  | { type: "sign_in" }
  | { type: "ask_for_code" }
  | { type: "drop_code" }
  | { type: "draw_qr"; page: string }
  | { type: "ask_for_link" }
  | { type: "drop_link" }
  | { type: "paste"; ticket: string; address: string }
  | { type: "broker"; kind: "page" | "opened" | "give_up" | "confirm"; id: string; text: string }
  | Report
  | { type: "ask_for_ticket" }
  | { type: "deliver"; ticket: string; sealed: string }
  | { type: "introduce"; ticket: string; key: string; origin: string }
  | { type: "register"; ticket: string; sealed: string; key: string }
  /** What the page is written in: the kernel may have its texts. */
  | { type: "language"; language: string }
  | { type: "ping"; id: number };

/** Where the sign-in stands; numbered, because a kernel may hand messages to several threads, and a later one overtake. */
export interface Report {
  type: "report";
  ticket: string;
  /** Who counts: a random number of the page's. */
  page: number;
  number: number;
  phase: ReportedPhase;
  way: Way | "";
  code: string;
  subject: string;
}

/** The phases that Python's `status` follows. */
export type ReportedPhase = Exclude<Phase, "handing_over" | "done">;

/** Kernel to page. */
export type FromKernel =
  | { type: "relay"; ticket: string; sealed: string }
  | { type: "introduced" | "registered"; ticket: string; key: string; sealed: string }
  | { type: "link"; ticket: string; link: string; paste: boolean; problem: string | null }
  | { type: "qr"; page: string; qr: string }
  | { type: "pong"; id: number };

/** Whether a ticket is outstanding. */
export function isTicket(ticket: Ticket): ticket is TicketData {
  return ticket.id !== undefined;
}

/** Reads a custom message of the kernel; null when it is not one of ours. */
export function fromKernel(message: unknown): FromKernel | null {
  if (typeof message !== "object" || message === null) return null;
  const { type, ticket, key, sealed, link, paste, problem, page, qr, id } = message as Record<string, unknown>;
  if (type === "relay" && typeof ticket === "string" && typeof sealed === "string") return { type, ticket, sealed };
  if (type === "introduced" || type === "registered") {
    const whole = typeof ticket === "string" && typeof key === "string" && typeof sealed === "string";
    return whole ? { type, ticket, key, sealed } : null;
  }
  if (type === "link" && typeof ticket === "string" && typeof link === "string" && /^https?:/.test(link)) {
    return { type, ticket, link, paste: paste === true, problem: typeof problem === "string" ? problem : null };
  }
  if (type === "qr" && typeof page === "string" && typeof qr === "string" && qr.startsWith("data:image/")) {
    return { type, page, qr };
  }
  if (type === "pong" && typeof id === "number") return { type, id };
  return null;
}
