/** Every text of the widget that is not an error; errors come with their sentences from the sign-in. */
export const labels = {
  signInWith: (provider: string) => `Sign in with ${provider}`,
  loading: "Getting ready…",
  ready: "Click to sign in",
  waiting: "Waiting for you in the popup…",
  signingIn: "Signing in…",
  handingOver: (provider: string) =>
    `Signed in at ${provider}. Handing over to Python; if the kernel is busy, this finishes as soon as it can.`,
  signedIn: (account: string) => (account ? `Signed in as ${account}` : "Signed in"),
  signingOut: "Signing out…",
  cancel: "Cancel",
  retry: "Retry",
  signOut: "Sign out",
  openByHand: "Open the sign-in page by hand",
  pasteInstead: "Paste the address instead",
  pastedAddress: "Address of the page you end on",
  pastedExample: "http://127.0.0.1:…/?code=…&state=…",
  pasteHow: "If the page after the sign-in does not load, copy its whole address and paste it here.",
  usePasted: "Use this address",
  signInAddress: "Sign-in page, to open anywhere",
  copyLink: "Copy link",
  linkCopied: "Link copied",
};
