"""Texts for users in every language: complete, with the same placeholders and right typography."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_provider import FakeProvider
from test_accounts import of
from tokentoss import AuthManager, FileStorage, NoCredentialsError, error_codes, exceptions, texts
from tokentoss.cli import main
from tokentoss.exceptions import error_for
from tokentoss.place import in_command

TRANSLATIONS = [code for code in texts.languages() if code != texts.ENGLISH]
ENGLISH = texts.texts_in(texts.ENGLISH)

ACCEPTED = json.loads((Path(__file__).parents[1] / "vectors" / "accept_language.json").read_text())

# What an administrator or a searcher knows by this name alone.
KEPT = re.compile(
    r"`[^`]+`|https?://\S+|\bTOKENTOSS_[A-Z_]+|\b[A-Z]+_[A-Z_]+\b|\b\w+=(?=[^\s]|\s)|--[a-z-]+|docs/\w+|\b\w+\(\)"
)


def every_text(code: str) -> dict[str, str]:
    return {
        f"{section}/{name}": text for section, of in texts.texts_in(code).items() for name, text in of.items()
    }


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"\{(\w*)\}", text))


def test_every_code_has_a_sentence_and_every_sentence_a_code() -> None:
    names = {name.partition(".")[0] for name in ENGLISH["errors"]}
    assert names - {"unknown"} == set(error_codes.table())
    places, cases = {"", "script", "command"}, {"broker", "password"}
    assert {name.partition(".")[2] for name in ENGLISH["errors"]} == places | cases
    with_room = {name for name, text in ENGLISH["errors"].items() if "{subject}" in text}
    assert {name for name in with_room if "." not in name} == set(ENGLISH["subjects"])


def test_sentences_say_a_cause_and_a_step_in_plain_words() -> None:
    for name, sentence in ENGLISH["errors"].items():
        shown = sentence.replace("{subject}", ENGLISH["subjects"].get(name.partition(".")[0], ""))
        assert shown[0].isupper() or shown.startswith(("wait()", "login()", "verify=")), shown
        assert shown.endswith((".", ")")), shown
        of_strangers = error_codes.culprit(name.partition(".")[0]) == "stranger"
        assert of_strangers or len(re.findall(r"[.?:;)] |\.$", shown)) >= 2, shown
        for weak in (
            "so nothing was kept",
            "if it stays",
            "holds neither",
            "none of ours",
            "nobody can tell",
        ):
            assert weak not in shown
        assert not re.search(r"\b(pop-up|sign-in window|cannot|is not|does not|did not|was not)\b", shown), (
            shown
        )


@pytest.mark.parametrize("code", TRANSLATIONS)
def test_a_translation_is_whole(code: str) -> None:
    english, translated = every_text("en"), every_text(code)
    assert list(translated) == list(english)
    for name, text in english.items():
        assert placeholders(translated[name]) == placeholders(text), name
        assert translated[name].strip() == translated[name], name
        assert bool(translated[name]) == bool(text), name


@pytest.mark.parametrize("code", TRANSLATIONS)
def test_a_translation_keeps_commands_and_names(code: str) -> None:
    translated = every_text(code)
    for name, text in every_text("en").items():
        missing = [kept for kept in KEPT.findall(text) if kept.rstrip(".,;:)") not in translated[name]]
        assert not missing, (name, missing)


def test_german_is_written_as_german_is() -> None:
    for name, text in every_text("de").items():
        # Code is in English quotation marks; „so“ is everything else.
        prose = re.sub(r"`[^`]*`|\b\w+\([^)]*\)|\b\w+=\"[^\"]*\"|\"\{", "", text)
        assert '"' not in prose, name
        assert text.count("„") == text.count("“"), name
        assert "..." not in text, name
        assert not re.search(r" [,.;:!?](\s|$)", text), name
        assert not re.search(r"\b(du|dich|dein\w*|Sie sich bitte)\b", prose), name


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("de", "de"),
        ("DE", "de"),
        ("de-AT", "de"),
        ("de_DE.UTF-8", "de"),
        ("en-GB", "en"),
        # What JupyterLab said for English for a while.
        ("default", "en"),
        ("tlh", "en"),
        ("", "en"),
        ("../../x", "en"),
    ],
)
def test_the_language_is_the_chosen_one(said: str, meant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(texts.LANGUAGE_VARIABLE, said)
    assert texts.language() == meant


@pytest.mark.parametrize("vector", ACCEPTED, ids=lambda vector: vector["header"][:40])
def test_the_language_of_a_browser(vector: dict[str, str | None]) -> None:
    """Accept-Language is read as the shared vectors say (RFC 9110, section 12.5.4)."""
    assert texts.accepted(vector["header"] or "") == vector["language"]


@pytest.mark.parametrize("header", ["x" * 1_000_000 + ",de", "d\u0435", "\ud800", "de;q=\u0661", "\x00"])
def test_no_header_harms(header: str) -> None:
    assert texts.accepted(header) is None


def test_errors_in_german(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(texts.LANGUAGE_VARIABLE, "de")
    failure = error_for("invalid_client", "login.example.com")
    assert str(failure).startswith("login.example.com akzeptiert diesen Client nicht.")
    assert failure.code == "invalid_client"
    assert failure.in_english().startswith("login.example.com doesn't accept this client.")
    assert str(error_for("invalid_client")).startswith("Der Token-Endpunkt akzeptiert")
    assert str(NoCredentialsError("as before")) == NoCredentialsError("as before").in_english() == "as before"


def test_a_command_in_german(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(texts.LANGUAGE_VARIABLE, "de")
    assert main(["sign-out", "--account", "nobody"]) == 1
    assert "Keines Ihrer gespeicherten Konten heißt nobody." in capsys.readouterr().err


def test_logs_stay_in_english(
    make_manager: Callable[..., AuthManager],
    fake: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv(texts.LANGUAGE_VARIABLE, "de")
    storage = FileStorage()
    storage.save(of(fake, "ada"))
    with caplog.at_level(logging.WARNING):
        manager = make_manager(storage=storage, account="typo@example.com")
    assert "None of your stored accounts is called typo@example.com" in caplog.text
    assert "Keines Ihrer gespeicherten Konten heißt typo@example.com" in manager.why_signed_out


def test_what_helps_depends_on_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    in_script = error_codes.sentence("no_credentials", "tokens.json")
    assert in_script.startswith("You aren't signed in. Run `tokentoss sign-in` on this machine")
    with in_command():
        assert "automation" not in error_codes.sentence("no_credentials", "tokens.json")
        assert error_codes.sentence("not_connected").endswith("Run `tokentoss sign-in`.")
    monkeypatch.setattr("tokentoss.error_codes.place", lambda: "notebook")
    assert "then run this cell again" in error_codes.sentence("no_credentials", "tokens.json")


def test_a_subject_without_room_stays_beside_the_sentence() -> None:
    for code in error_codes.table():
        failure = exceptions.error_for(code, "127.0.0.1:43713")
        assert failure.subject == "127.0.0.1:43713"
        has_room = "{subject}" in ENGLISH["errors"][code]
        assert ("127.0.0.1:43713" in str(failure)) == has_room, code
        assert "[127" not in str(failure), code


def test_braces_in_a_value_are_no_placeholders() -> None:
    assert error_for("client_secrets_missing", "{subject}{x}/{0}").args[0].count("{subject}{x}/{0}") == 1
