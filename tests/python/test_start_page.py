"""The start page's script, as far as it can be checked without a browser."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from page import Page, send


class Elements(HTMLParser):
    def __init__(self, document: str) -> None:
        super().__init__()
        self.by_id: dict[str, tuple[str, dict[str, Any]]] = {}
        self.feed(document)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        if "id" in named:
            self.by_id[str(named["id"])] = (tag, named)


@pytest.fixture
def document(page: Page) -> str:
    return send(page.listener, "GET", "/tokentoss/start").text


def test_the_question_can_be_read_and_answered(document: str) -> None:
    """The hidden question has a heading and two buttons (rule 3)."""
    elements = Elements(document).by_id
    assert elements["question"][0] == "section"
    assert "hidden" in elements["question"][1]
    assert elements["question"][1]["aria-labelledby"] == "title"
    assert elements["title"] == ("h1", {"id": "title", "tabindex": "-1"})
    for name, kind in {"yes": {"class": "primary"}, "no": {}}.items():
        assert elements[name] == ("button", {"id": name, "type": "button"} | kind)
    for name in set(re.findall(r'(?:element|getElementById)\("(\w+)"\)', document)):
        assert name in elements, "the script names what is there"


def test_what_it_says_to_whom(document: str) -> None:
    """The script sends only its three message types and no secret (rules 6, 7)."""
    assert "client_secret" not in document
    assert "innerHTML" not in document
    told = set(re.findall(r'type: "(\w+)"', document))
    assert told == {"confirming", "refused", "registered"}
    assert "start.ticket !== ticket || start.key !== key" in document
