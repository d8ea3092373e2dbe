"""Next steps in the words of the shell: sentences of the error table name Python calls."""

from __future__ import annotations

_IN_THE_SHELL = {
    "Choose one by its key; AuthManager.accounts() lists them.": (
        "Choose one by the name that `tokentoss status` shows for --account."
    ),
    "choose one that AuthManager.accounts() lists": "choose one that `tokentoss status` lists",
    "install it with tokentoss.configure()": "install it with `tokentoss configure`",
    "Show a GoogleAuthWidget and sign in first.": "Run `tokentoss sign-in` first.",
    "Session expired — sign in again.": "The session has expired. Run `tokentoss sign-in` again.",
    "Sign in with a widget that has the same broker.": "Run `tokentoss sign-in`.",
    "Sign in with the button.": "Leave --code out.",
    "Use APIClient, which sends the access token.": "Ask for the access token, with --access.",
    'Name the provider: AuthWidget(provider=Provider.discover("https://issuer")).': (
        "Name its issuer with --provider https://…"
    ),
    "Use Provider.discover() with its issuer instead.": "Give its issuer instead, as --provider https://…",
    "Give it to Provider.named().": "Give the provider's issuer instead, as --provider https://…",
}


def in_the_shell(sentence: str) -> str:
    """Return a sentence with its next step as a command."""
    for call, command in _IN_THE_SHELL.items():
        sentence = sentence.replace(call, command)
    return sentence
