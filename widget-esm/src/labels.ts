/** Every text of the widget that is not an error; errors come with their sentences from the sign-in. */
export const labels = {
  signInWith: (provider: string) => `Sign in with ${provider}`,
  loading: "Getting ready…",
  ready: "Click to sign in",
  /** By the way that the answer comes back. */
  waiting: {
    loopback: "Waiting for you in the popup…",
    callback_page: "Waiting for you in the popup, which ends on the callback page…",
    paste: "Waiting for you in the popup, then for the address that it ends on…",
  },
  signingIn: "Signing in…",
  handingOver: (provider: string) =>
    `Signed in at ${provider}. Handing over to Python; if a cell keeps it busy, this finishes when that ends or is interrupted.`,
  signingOut: "Signing out…",
  cancel: "Cancel",
  retry: "Retry",
  signOut: "Sign out",
  useLink: "Use a link instead",
  askingForLink: "Asking Python for the link; if the kernel is busy, it comes as soon as it can.",
  followLink: "Sign in on the page that the button opens. This widget follows by itself.",
  followLinkAndPaste: "Sign in on the page that the button opens, then paste the address that you end on.",
  useCode: "Use a code instead",
  askingForCode: "Asking for a code…",
  waitingForCode: "Waiting for you to enter the code…",
  enterAt: "On this or any other device, open ",
  qrCode: "QR code of the page where the code is entered",
  timeLeft: (minutes: number, seconds: number) =>
    `The code ends in ${minutes}:${String(seconds).padStart(2, "0")} minutes.`,
  openByHand: "Open the sign-in page by hand",
  pasteInstead: "Paste the address instead",
  pastedAddress: "Address of the page you end on",
  pastedExample: "http://127.0.0.1:…/?code=…&state=…",
  pasteHow: "If the page after the sign-in does not load, copy its whole address and paste it here.",
  usePasted: "Use this address",
  /** The same for what a broker's page shows. */
  confirmation: {
    pasteInstead: "Enter a code",
    pastedAddress: "Code of the window",
    pastedExample: "ABCD2345",
    pasteHow: "If the window shows a code, enter it here.",
    usePasted: "Confirm",
  },
  signInAddress: "Sign-in page, to open anywhere",
  copyLink: "Copy link",
  linkCopied: "Link copied",
};
