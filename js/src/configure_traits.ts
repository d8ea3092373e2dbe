/** What the kernel and the page say to each other about a client that is being set up: the synced traits of `ConfigureWidget`. */

import type { SentTexts } from "./texts.ts";

/** To whom a client is sealed; each ticket is used once. */
export interface ConfigureTicket {
  id: string;
  public_key: string;
}

/** The synced traits of the Python widget. */
export interface ConfigureTraits {
  ticket: ConfigureTicket;
  /** The only trait that the page writes: a sealed client, or "" once Python took it. */
  sealed_configuration: string;
  /** Id of the last ticket whose client Python decided on; comes together with what became of it. */
  acknowledged: string;
  status: string;
  configured: boolean;
  error: string;
  error_code: string;
  texts?: SentTexts;
  client_id: string;
  project_id: string;
  /** Client ID of the client that is installed now, or "". */
  current_client: string;
}
