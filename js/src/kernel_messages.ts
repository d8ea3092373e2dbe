/** Takes what the kernel says by message to where it belongs. */

import type { SignIn } from "tokentoss:glue";
import type { SignInAtBroker } from "./sign_in_at_broker.ts";
import type { SignInByCode } from "./sign_in_by_code.ts";
import type { SignInByLink } from "./sign_in_by_link.ts";
import { fromKernel } from "./traits.ts";

/** Hears a message; the result says whether views show something else now. */
export function hear(
  content: unknown,
  ticket: string,
  signIn: SignIn | null,
  byCode: SignInByCode,
  byLink: SignInByLink,
  atBroker: SignInAtBroker,
): boolean {
  const message = fromKernel(content);
  switch (message?.type) {
    case "relay":
      if (message.ticket === ticket) signIn?.relay(message.sealed);
      return false;
    case "introduced":
    case "registered":
      if (message.ticket === ticket) signIn?.[message.type](message.key, message.sealed);
      return false;
    case "link":
      return byLink.given(message) || atBroker.given(message);
    case "qr":
      return byCode.drawn(message);
    default:
      return false;
  }
}
