/** The labels that the build takes from python/tokentoss/texts/en.json. */

declare module "tokentoss:texts" {
  export const sign_in: Record<
    | "signInWith"
    | "account"
    | "loading"
    | "waiting"
    | "waitingCallbackPage"
    | "waitingPaste"
    | "signingIn"
    | "handingOver"
    | "signingOut"
    | "cancel"
    | "signOut"
    | "help"
    | "trouble"
    | "useLink"
    | "askingForLink"
    | "followLink"
    | "followLinkAndPaste"
    | "useCode"
    | "askingForCode"
    | "enterCode"
    | "enterAt"
    | "copyCode"
    | "codeCopied"
    | "qrCode"
    | "timeLeft"
    | "openByHand"
    | "pastedAddress"
    | "pasteHow"
    | "usePasted"
    | "codeOfPopup"
    | "codeOfPopupHow"
    | "confirm"
    | "signInAddress"
    | "copyLink"
    | "linkCopied",
    string
  >;
  export const form: Record<
    | "title"
    | "about"
    | "console"
    | "current"
    | "byHand"
    | "clientId"
    | "clientSecret"
    | "projectId"
    | "drop"
    | "choose"
    | "chosen"
    | "remove"
    | "configure"
    | "change"
    | "help"
    | "loading"
    | "ready"
    | "sending"
    | "clientMissing"
    | "clientIdMissing"
    | "clientIdIsSecret"
    | "clientSecretMissing"
    | "clientSecretIsId"
    | "severalFiles"
    | "fileTooLarge"
    | "fileUnreadable"
    | "fillIn",
    string
  >;
  export const accounts: Record<
    "useAnother" | "choose" | "signIn" | "providerDecides" | "accounts" | "use" | "keep" | "back",
    string
  >;
  export const steps: Record<"toCell" | "reload", string>;
  export const session: Record<
    | "account"
    | "signedIn"
    | "signedOut"
    | "expiry"
    | "session"
    | "scopes"
    | "place"
    | "expiresThenRenewed"
    | "expiresThenSignIn"
    | "expiredRenewed"
    | "expired"
    | "ends"
    | "ended"
    | "notGranted"
    | "refresh"
    | "refreshing"
    | "renewed"
    | "logSaysMore"
    | "switchAccount"
    | "signIn"
    | "signInWithAnother"
    | "signInElsewhere"
    | "signOut"
    | "broker"
    | "keyring"
    | "memory",
    string
  >;
}
