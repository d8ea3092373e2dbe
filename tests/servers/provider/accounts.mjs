// Accounts are made from what is typed into the development login: no list to maintain.
import { createHash } from "node:crypto";

// Domains whose accounts belong to nobody's organisation and so carry no `hd` claim.
const CONSUMER_DOMAINS = new Set(["mail.example"]);

const emailOf = (login) => (login.includes("@") ? login : `${login}@example.com`);

/** Implements oidc-provider's `findAccount`: the login is an e-mail address or a name at example.com. */
export function findAccount(_ctx, login) {
  const email = emailOf(login);
  const [name, domain] = email.split("@");
  return {
    accountId: login,
    claims: () => ({
      sub: login,
      email,
      email_verified: true,
      name: name.replace(/^./, (first) => first.toUpperCase()),
      ...(CONSUMER_DOMAINS.has(domain) ? {} : { hd: domain }),
    }),
  };
}

/** Implements `pairwiseIdentifier`: the subject is one for all clients, and no e-mail address, as at Google. */
export function subjectOf(_ctx, login) {
  return createHash("sha256").update(emailOf(login)).digest("hex").slice(0, 21);
}
