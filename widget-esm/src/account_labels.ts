/** The texts about accounts, which the sign-in widget carries as well. */
export const labels = {
  useAnother: "Use another account",
  choose: (provider: string) => `Choose an account, or sign in with another ${provider} account.`,
  signIn: (provider: string) => `Sign in with another ${provider} account.`,
  providerDecides: (provider: string) =>
    `${provider} may go on with the account it knows in this browser. If so, sign out there first.`,
  accounts: "Stored accounts",
  use: (account: string) => `Use ${account}`,
  keep: (account: string) => (account ? `Keep using ${account}` : "Back"),
};
