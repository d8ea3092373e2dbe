/* tslint:disable */
/* eslint-disable */
/**
 * A provider's data before it is checked.
 */
export interface ProviderData {
    /**
     * The issuer identifier, compared as the exact string (OpenID Connect Core 3.1.3.7).
     */
    issuer: Text;
    /**
     * Where the popup goes.
     */
    authorization_endpoint: Text;
    /**
     * Where the authorization code is exchanged.
     */
    token_endpoint: Text;
    /**
     * Where the page may ask for a user code to be entered on another device.
     */
    device_authorization_endpoint?: Text | null;
    /**
     * How a client with a secret shows it there; `client_secret_post` unless it says otherwise.
     */
    token_endpoint_auth_method?: Text | null;
    /**
     * `authorization_response_iss_parameter_supported` (RFC 9207 section 3).
     */
    iss_parameter_supported?: boolean;
    /**
     * Extra parameters of the authorization request, such as `access_type`.
     */
    authorization_params?: Record<string, string>;
    /**
     * Algorithms accepted for the ID token.
     */
    id_token_signing_algs?: Text[];
    /**
     * Whether there are ID tokens at all; there are where this is missing.
     */
    openid_connect?: boolean | null;
    /**
     * Whether a page may read the token endpoint's answers, when that is known.
     */
    token_endpoint_cors?: boolean | null;
}

/**
 * A text that lost nothing on its way: a lone surrogate, which no UTF-8 can hold, becomes U+FFFD where JavaScript hands a
 * string over, and such a text is refused.
 */
export type Text = string;

/**
 * A ticket before it is checked, as it stands in the widget's trait. Members that are not named here are not looked at.
 */
export interface TicketData {
    /**
     * Of this layout: 2.
     */
    version: number;
    /**
     * Names the ticket in messages.
     */
    id: Text;
    /**
     * What the kernel computes the nonce of each attempt from.
     */
    nonce: Text;
    /**
     * The kernel's X25519 key for this ticket, in base64url.
     */
    public_key: Text;
    /**
     * The OAuth client.
     */
    client_id: Text;
    /**
     * Whether the token request needs a client secret, which arrives sealed.
     */
    client_secret_sealed?: boolean;
    /**
     * The scopes to ask for.
     */
    scopes?: Text[];
    /**
     * An address of the kernel's listener on loopback, if it has one.
     */
    redirect_uri?: Text | null;
    /**
     * Static pages that are registered for the client.
     */
    callback_pages?: Text[];
    /**
     * Whether the kernel knows that it runs on another machine than the browser.
     */
    remote_kernel?: boolean;
    /**
     * Who may exchange the authorization code; `auto` where it is missing.
     */
    exchange?: "auto" | "browser" | "kernel" | null;
    /**
     * The provider.
     */
    provider: ProviderData;
    /**
     * The organisation that the account must belong to.
     */
    hosted_domain?: Text | null;
    /**
     * The account to suggest.
     */
    login_hint?: Text | null;
    /**
     * The key of a broker that the authorization code is deposited at, if neither page nor kernel redeems it; X25519, in
     * base64url.
     */
    deposit_key?: Text | null;
}

/**
 * A user code to enter on any device (RFC 8628).
 */
export interface CodeToEnter {
    /**
     * What to enter.
     */
    user_code: string;
    /**
     * Where, for people.
     */
    verification_uri: string;
    /**
     * The same, with the code filled in if the provider has that.
     */
    page: string;
    /**
     * When the code ends, in Unix seconds.
     */
    expires_at: number;
}

/**
 * An event of a sign-in.
 */
export type FlowEvent = { type: "status"; phase: Phase; way: Way | null; link: string | null; code: string | null; message: string | null; subject: string | null; paste_problem: string | null; paste_code: string | null; to_enter: CodeToEnter | null } | { type: "ask_kernel_for_code" } | { type: "drop_kernel_code" } | { type: "introduce"; ticket: string; key: string; origin: string } | { type: "clear_envelope" } | { type: "register"; ticket: string; sealed: string; key: string } | { type: "deliver"; envelope: string };

/**
 * How the provider's answer comes back.
 */
export type Way = "loopback" | "callback_page" | "paste";

/**
 * Where a sign-in stands.
 */
export type Phase = "ready" | "waiting" | "signing_in" | "code" | "handing_over" | "done" | "failed";


/**
 * The sign-in of one ticket.
 *
 * Every method returns at once; what comes of it is told by events. `free()` ends the sign-in and lets go of its
 * windows, listeners, timers and request.
 */
export class SignIn {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * The kernel decided on a ticket's envelope: `code` is empty when it took the tokens, else `message` says why not.
     */
    acknowledge(ticketId: string, code: string, message: string): void;
    /**
     * The user wants a code to enter on any device; the status holds it as soon as it is there.
     */
    askForCode(): void;
    /**
     * The user gave up.
     */
    cancel(): void;
    /**
     * The connection to the kernel was made, or made again: the page introduces itself.
     */
    connected(): void;
    /**
     * The kernel's message `introduced`.
     */
    introduced(key: string, sealed: string): void;
    /**
     * The kernel shows no user code any more.
     */
    kernelCodeEnded(): void;
    /**
     * The kernel could not get a user code, or its sign-in by code failed.
     */
    kernelCodeFailed(code: string, message: string): void;
    /**
     * The kernel shows a user code that it asked for; `expires_at` in Unix seconds.
     */
    kernelCodeShown(userCode: string, verificationUri: string, page: string, expiresAt: number): void;
    /**
     * The kernel died, restarted or forgot the widget.
     */
    kernelLost(): void;
    /**
     * The user copies the link, to open it in another browser; the status told meanwhile holds what to copy.
     */
    linkCopied(): void;
    /**
     * The click on the link that opens the sign-in page by hand: one more window may introduce itself.
     */
    linkFollowed(): void;
    /**
     * Takes the value of the trait `ticket` and a function for the events; the first one is sent from here.
     *
     * # Errors
     * Throws an `Error` with a stable `code` when the ticket is not usable.
     */
    constructor(ticket: TicketData, on_event: (event: FlowEvent) => void);
    /**
     * The user pasted an address; the status says what is wrong with it.
     */
    paste(text: string): void;
    /**
     * The kernel's message `registered`.
     */
    registered(key: string, sealed: string): void;
    /**
     * The kernel's message `relay`: a callback sealed to this page.
     */
    relay(sealed: string): void;
    /**
     * The click on the button; the popup opens before this returns.
     */
    signIn(): void;
}
