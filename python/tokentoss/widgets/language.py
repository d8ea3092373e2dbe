"""The language of a widget: the one that the user chose, or else that of the page that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from tokentoss import error_codes, texts
from tokentoss.widgets.base import SyncedWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

OF_PAGE = ("configuration_unsealed", "webassembly_failed", "webassembly_unavailable")
"""Codes that the page says itself, beside those of the flow."""


def texts_of_page(language: str | None, labels: Sequence[str]) -> dict[str, Any]:
    """Return what a page says in a language: ``{}`` for English, which it knows.

    Args:
        language: One of :func:`tokentoss.texts.languages`, or None.
        labels: The sections with the labels of this kind of widget.
    """
    if language is None or language == texts.ENGLISH:
        return {}
    sections = texts.texts_in(language)
    said = {row["code"] for row in error_codes.table().values() if row["in_flow"]} | {*OF_PAGE}
    spoken = {
        section: {name: text for name, text in sections[section].items() if name in said}
        for section in ("errors", "subjects")
    }
    return {"language": language, **spoken, **{section: sections[section] for section in labels}}


class SpeakingWidget(SyncedWidget):
    """Base of the widgets that say what went wrong."""

    error = traitlets.Unicode("").tag(sync=True)
    error_code = traitlets.Unicode("").tag(sync=True)
    error_detail = traitlets.Unicode("").tag(sync=True)
    texts = traitlets.Dict().tag(sync=True)

    labels: ClassVar[tuple[str, ...]] = ("sign_in", "accounts", "steps")
    """The sections with the labels of this kind of widget."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(texts=texts_of_page(texts.chosen(), self.labels), **kwargs)

    def publish(self, **traits: Any) -> None:
        """Set traits together, in one message, with the sentence of an error in the page's language."""
        if traits.get("error"):
            code, detail = traits.get("error_code", ""), traits.get("error_detail")
            if self.texts and error_codes.is_known(code):
                traits["error"] = error_codes.sentence(code, detail, language=self.texts["language"])
        elif "error" in traits:
            traits.setdefault("error_detail", "")
        super().publish(**traits)

    def take_language(self, content: object) -> bool:
        """Take up the language that a page says it has, unless the user chose one; tell whether it said so.

        Args:
            content: What the page says.
        """
        if not isinstance(content, dict) or content.get("type") != "language":
            return False
        tag = content.get("language")
        language = texts.known(tag) if isinstance(tag, str) and texts.chosen() is None else None
        if language is not None and language != self.texts.get("language", texts.ENGLISH):
            said = {"error": self.error, "error_code": self.error_code, "error_detail": self.error_detail}
            with self._lock:
                self.texts = texts_of_page(language, self.labels)
                self.publish(**said)
        return True
