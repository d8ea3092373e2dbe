"""Next steps in the words of the shell: sentences of the error table name Python calls."""

from __future__ import annotations

_IN_THE_SHELL = {
    "Choose one by its key; AuthManager.accounts() lists them.": (
        "Choose one by the name that `tokentoss status` shows for --account."
    ),
    "choose one that AuthManager.accounts() lists": "choose one that `tokentoss status` lists",
    "install it with tokentoss.configure()": "install it with `tokentoss configure`",
}


def in_the_shell(sentence: str) -> str:
    """Return a sentence with its next step as a command."""
    for call, command in _IN_THE_SHELL.items():
        sentence = sentence.replace(call, command)
    return sentence
