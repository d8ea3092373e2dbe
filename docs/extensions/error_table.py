"""Error codes in the documents: the list of `error-codes`, and a link from every code in the text to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PACKAGE = Path(__file__).resolve().parents[2] / "python" / "tokentoss"
TABLE = PACKAGE / "error_codes.json"
TEXTS = PACKAGE / "texts" / "en.json"
PAGE = "troubleshooting"

CAUSES = {
    "configuration": "the set-up",
    "environment": "the computer, the network or the browser",
    "provider_misbehaved": "an answer that breaks the rules",
    "provider_refused": "a refusal",
    "stranger": "another program or page",
    "user": "something that you did",
}

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
        row | {"message": sentences[row["code"]], "subject": subjects.get(row["code"], "")} for row in table
    ]


def group_of(row: dict[str, Any]) -> str:
    """Return the heading below which a code stands."""
    code = row["code"]
    if code.startswith("broker_") or row["subject"].lower() in {"the broker", "this broker"}:
        return BROKER
    return next((name for name, beginnings in GROUPS.items() if code.startswith(beginnings)), OTHERS)


def sentence_of(row: dict[str, Any]) -> list[nodes.Node]:
    """Return the sentence of a code, with words in italics where it names a host, a file or a setting."""
    parts: list[nodes.Node] = []
    for index, text in enumerate(row["message"].split("{subject}")):
        if index:
            parts.append(nodes.emphasis(text=row["subject"]))
        if text:
            parts.append(nodes.Text(text))
    return parts


class ErrorCodes(SphinxDirective):
    """Lists every code of the table, in groups, each with an anchor of its own name."""

    def run(self) -> list[nodes.Node]:
        """Return one section for each group."""
        self.env.note_dependency(str(TABLE))
        self.env.note_dependency(str(TEXTS))
        of_group: dict[str, list[dict[str, Any]]] = {}
        for row in rows():
            of_group.setdefault(group_of(row), []).append(row)
        order = [*GROUPS, OTHERS, BROKER]
        return [self._section(name, of_group[name]) for name in order if name in of_group]

    def _section(self, name: str, group: list[dict[str, Any]]) -> nodes.section:
        section = nodes.section(ids=[nodes.make_id(name)], names=[nodes.fully_normalize_name(name)])
        section += nodes.title(text=name)
        section += nodes.definition_list("", *map(self._item, group))
        return section

    def _item(self, row: dict[str, Any]) -> nodes.definition_list_item:
        term = nodes.term("", "", nodes.literal(text=row["code"]), ids=[row["code"]])
        why = nodes.paragraph("", "", nodes.inline(text=f"Comes from: {CAUSES[row['culprit']]}."))
        said = nodes.paragraph("", "", *sentence_of(row))
        return nodes.definition_list_item("", term, nodes.definition("", said, why))


def link_codes(app: Sphinx, document: nodes.document, page: str) -> None:
    """Make a link of every error code that a page names."""
    codes = {row["code"] for row in rows()}
    for literal in list(document.findall(nodes.literal)):
        code = literal.astext()
        if code not in codes or isinstance(literal.parent, (nodes.term, nodes.reference, nodes.title)):
            continue
        uri = "" if page == PAGE else app.builder.get_relative_uri(page, PAGE)
        link = nodes.reference("", "", literal.deepcopy(), internal=True, refuri=f"{uri}#{code}")
        literal.replace_self(link)


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive and the links."""
    app.add_directive("error-codes", ErrorCodes)
    app.connect("doctree-resolved", link_codes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
