/** Every text of the widget that is not an error; errors come with their sentences from the sign-in. */
export const labels = {
  /** The language that they are in. */
  language: "en",
  signInWith: (provider: string) => `Sign in with ${provider}`,
  account: (provider: string) => `${provider} account`,
  loading: "Getting ready…",
  /** By the way that the answer comes back. */
  waiting: {
    loopback: "Waiting for you in the popup…",
    callback_page: "Finish signing in in the popup…",
    paste: `After you sign in, the popup shows "site can't be reached". That's expected: copy its full address and paste it below.`,
  },
  signingIn: "Signing in…",
  handingOver: (provider: string) =>
    `You're signed in with ${provider}. Passing it on to Python… (waits for the running cell)`,
  signingOut: "Signing out…",
  cancel: "Cancel",
  signOut: "Sign out",
  help: "What to do about this",
  trouble: "Trouble signing in?",
  useLink: "Use a link instead",
  askingForLink: "Getting a sign-in link… (waits for the running cell)",
  followLink: "Sign in on the page that the button opens. This widget follows by itself.",
  followLinkAndPaste: "Sign in on the page that the button opens. Then paste the address of the last page below.",
  useCode: "Use a code instead",
  askingForCode: "Getting a code…",
  /** For those who hear it: what stands in the panel, as one sentence. */
  enterCode: (code: string, page: string) => `Enter ${code} at ${page}`,
  enterAt: "On any device, open {link} and enter this code:",
  copyCode: "Copy code",
  codeCopied: "Code copied",
  qrCode: "QR code of the page where the code is entered",
  timeLeft: (minutes: number, seconds: number) => `Expires in ${minutes}:${String(seconds).padStart(2, "0")}`,
  openByHand: "Open sign-in page",
  pastedAddress: "Address of the last page",
  pastedExample: "http://127.0.0.1:…/?code=…&state=…",
  pasteHow: "If the page after the sign-in doesn't load, copy its full address and paste it here.",
  usePasted: "Continue",
  /** The same for what a broker's page shows. */
  confirmation: {
    pastedAddress: "Code of the popup",
    pastedExample: "ABCD2345",
    pasteHow: "If the popup shows a code, enter it here.",
    usePasted: "Confirm",
  },
  signInAddress: "Sign-in link",
  copyLink: "Copy link",
  linkCopied: "Link copied",
};
