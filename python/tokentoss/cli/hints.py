"""Next steps in the words of the shell: sentences of the error table name Python calls."""

from __future__ import annotations

_IN_THE_SHELL = {
    "matches several of your stored accounts. Choose one by its key, as AuthManager.accounts() lists them.": (
        "are several accounts. Choose one with --account."
    ),
    "choose one that AuthManager.accounts() lists": "choose one that `tokentoss accounts` lists",
    "Run the cell with the sign-in button, sign in, then run this cell again.": (
        "Run `tokentoss sign-in` first."
    ),
    "Sign in with a widget that uses this broker.": "Run `tokentoss sign-in`.",
    "Use the sign-in button instead.": "Leave --code out.",
    "Use APIClient, which sends the access token.": "Ask for the access token, with --access.",
    'Name the provider: AuthWidget(provider=Provider.discover("https://issuer")).': (
        "Name its issuer with --provider https://…"
    ),
    'For others use Provider.discover("https://issuer").': "For others give the issuer: --provider https://…",
    "Pass the right parameters to Provider.named().": "Give the provider's issuer instead: --provider https://…",
}


def in_the_shell(sentence: str) -> str:
    """Return a sentence with its next step as a command."""
    for call, command in _IN_THE_SHELL.items():
        sentence = sentence.replace(call, command)
    return sentence
