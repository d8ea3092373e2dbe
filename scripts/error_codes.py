"""The list of error codes in docs/troubleshooting.md, made from the tables that the languages share.

Without an option it only checks that the page is up to date; ``--fix`` writes it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "troubleshooting.md"
TABLE = ROOT / "python" / "tokentoss" / "error_codes.json"
TEXTS = ROOT / "python" / "tokentoss" / "texts" / "en.json"
MARK = "<!-- Below this line: made by scripts/error_codes.py, from the tables of codes and texts. -->"

CAUSES = {
    "configuration": "the set-up",
    "environment": "the computer, the network or the browser",
    "provider_misbehaved": "an answer that breaks the rules",
    "provider_refused": "a refusal",
    "stranger": "another program or page",
    "user": "something that you did",
}

# Where a code has another sentence, and what that one names.
CASES = {"broker": ("At a broker", "the broker"), "password": ("With a password", "the address")}

# The first group that fits takes a code: by how it begins.
GROUPS: dict[str, tuple[str, ...]] = {
    "Calls to services": (
        *("service_", "origin_not_allowed", "path_outside_base", "address_insecure", "authorization_taken"),
        *("auth_manager_", "base_url_", "header_", "provider_missing", "verification_"),
    ),
    "Service accounts": ("credentials_", "minting_"),
    "Tokens and the client in files": ("storage_",),
    "Network, certificates and proxies": (
        *("certificate", "host_unknown", "proxy_", "answer_", "clock_skew"),
    ),
    "The OAuth client and its settings": (
        *("client_id", "client_of", "client_secret", "configure_", "configuration_unsealed", "redirect_uri_"),
        *("argument_", "endpoint_", "exchange_", "scope_openid", "parameter_protected", "provider_identity"),
        *(
            "provider_parameter",
            "provider_required",
            "provider_unknown",
            "provider_value",
            "provider_without",
        ),
    ),
    "ID tokens and who signed in": ("id_token_", "identity_", "jwks_", "userinfo_", "hosted_domain"),
    "Being signed in": (
        *("no_credentials", "visitor", "session_", "signed_", "client_session", "grant_", "refresh_"),
        "revocation_",
        *("invalid_grant", "invalid_rapt", "account_ambiguous", "account_unknown", "admin_policy"),
    ),
    "The button, the popup and the notebook": (
        *("notebook_origin_", "output_unwritable", "port_unavailable", "redirect_port_"),
        *(
            "popup_",
            "page_",
            "paste_",
            "loopback_",
            "wait_",
            "widget_",
            "webassembly_",
            "kernel_",
            "hand_over",
        ),
        *("ticket_", "envelope_", "sealing_", "registration_", "confirmation_awaited", "entropy", "peer_"),
        *("login_impossible", "terminal_missing", "proof_", "state_", "source_", "origin_mismatch"),
        *("message_malformed", "sign_in_timed_out"),
    ),
}
BROKER = "A broker"
OTHERS = "The provider's answers"


def rows() -> list[dict[str, Any]]:
    """Return the rows of the table, with their sentences in English."""
    table: list[dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8"))
    texts = json.loads(TEXTS.read_text(encoding="utf-8"))
    sentences, subjects = texts["errors"], texts["subjects"]
    return [
        row
        | {
            "message": sentences[row["code"]],
            "cases": {
                case: sentences[name] for case in CASES if (name := f"{row['code']}.{case}") in sentences
            },
            "subject": subjects.get(row["code"], ""),
        }
        for row in table
    ]


def group_of(row: dict[str, Any]) -> str:
    """Return the heading below which a code stands."""
    code = row["code"]
    if code.startswith("broker_") or row["subject"].lower() in {"the broker", "this broker"}:
        return BROKER
    return next((name for name, beginnings in GROUPS.items() if code.startswith(beginnings)), OTHERS)


def item(row: dict[str, Any]) -> str:
    """Return the entry of a code, with words in italics where its sentence names something."""
    # An anchor of HTML, because repositories and the site make different ones of headings.
    anchor = f'<a id="{row["code"]}"></a>'
    said = escaped(row["message"]).replace("{subject}", f"*{escaped(row['subject'])}*")
    for case, sentence in row["cases"].items():
        where, named = CASES[case]
        said += f" {where}: {escaped(sentence)}".replace("{subject}", f"*{named}*")
    return f"- {anchor}`{row['code']}`: {said} (From: {CAUSES[row['culprit']]}.)"


def escaped(text: str) -> str:
    """Return a text as Markdown that reads as the text, outside of code."""
    parts = text.split("`")
    for index in range(0, len(parts), 2):
        for sign in ("\\", "*", "_", "<", "["):
            parts[index] = parts[index].replace(sign, f"\\{sign}")
    return "`".join(parts)


def listed() -> str:
    """Return the sections with every code."""
    of_group: dict[str, list[str]] = {}
    for row in rows():
        of_group.setdefault(group_of(row), []).append(item(row))
    order = [*GROUPS, OTHERS, BROKER]
    sections = [f"### {name}\n\n" + "\n".join(of_group[name]) for name in order if name in of_group]
    return "\n\n".join(sections) + "\n"


def main() -> None:
    """Check the page, or write it."""
    written = PAGE.read_text(encoding="utf-8")
    before, mark, _ = written.partition(MARK)
    if not mark:
        raise SystemExit(f"{PAGE.name} has no place for the codes: put this line where they begin: {MARK}")
    wanted = f"{before}{MARK}\n\n{listed()}"
    if "--fix" in sys.argv[1:]:
        PAGE.write_text(wanted, encoding="utf-8", newline="\n")
    elif written != wanted:
        raise SystemExit(f"docs/{PAGE.name} is not up to date: `npm run fix` writes it.")


if __name__ == "__main__":
    main()
