/** What the kernel says of a session: the synced traits of `StatusWidget`. The page writes none of them. */

import type { SentTexts } from "./texts.ts";
import type { Choice } from "./traits.ts";

export interface Session {
  account: string;
  provider: string;
  signed_in: boolean;
  scopes: string[];
  /** What was asked for, and not granted. */
  missing: string[];
  /** When the tokens expire, in Unix seconds. */
  expires_at: number | null;
  /** When the user has to sign in again. */
  ends_at: number | null;
  renewable: boolean;
  stored_in: string;
  /** What went wrong last, as a sentence. */
  problem: string;
}

export interface StatusTraits {
  session: Session;
  /** What became of what the user did last. */
  notice: string;
  busy: boolean;
  choice: Choice;
  /** The model of the sign-in widget that is shown in this one, or "". */
  sign_in_widget: string;
  texts?: SentTexts;
}
