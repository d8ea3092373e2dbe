/** Every text of the widget that is not an error; errors come with their sentences from the sign-in. */
export const labels = {
  signInWith: (provider: string) => `Sign in with ${provider}`,
  loading: "Getting ready…",
  ready: "Click to sign in",
  waiting: "Waiting for you in the popup…",
  signingIn: "Signing in…",
  handingOver: (provider: string) =>
    `Signed in at ${provider}. Handing over to Python; if the kernel is busy, this finishes as soon as it can.`,
  signingOut: "Signing out…",
  cancel: "Cancel",
  retry: "Retry",
  signOut: "Sign out",
  useCode: "Use a code instead",
  askingForCode: "Asking for a code…",
  waitingForCode: "Waiting for you to enter the code…",
  enterAt: "On this or any other device, open ",
  qrCode: "QR code of the page where the code is entered",
  timeLeft: (minutes: number, seconds: number) =>
    `The code ends in ${minutes}:${String(seconds).padStart(2, "0")} minutes.`,
  openByHand: "Open the sign-in page by hand",
};
