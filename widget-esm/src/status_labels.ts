/** Every text of the status widget that does not come from the kernel. */
export const labels = {
  title: (provider: string) => `${provider} account`,
  signedIn: (account: string, provider: string) => `Signed in as ${account} with ${provider}`,
  signedOut: (provider: string) => `Not signed in with ${provider}.`,
  expiry: "Tokens",
  session: "Session",
  scopes: "Granted",
  place: "Stored in",
  expires: (left: string, renewable: boolean) => {
    if (!left) return renewable ? "Expired, renewed on next use" : "Expired";
    return `Expires in ${left}, then ${renewable ? "renewed on use" : "sign in again"}`;
  },
  ends: (left: string) => (left ? `Ends in ${left}, then sign in again` : "Ended"),
  granted: (scopes: string[], missing: string[]) => {
    const granted = scopes.join(", ");
    return missing.length > 0 ? `${granted} (not granted: ${missing.join(", ")})` : granted;
  },
  refresh: "Refresh now",
  refreshing: "Renewing the tokens…",
  switchAccount: "Switch account",
  signInNow: "Sign in",
  signInWithAnother: "Sign in with another account",
  signInElsewhere: "To sign in, show AuthWidget(auth_manager=manager) in a cell.",
  signOut: "Sign out",
};
