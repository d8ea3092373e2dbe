"""Whether the provider's endpoints answer, and whether this machine's clock agrees with theirs."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tokentoss import error_codes
from tokentoss.doctor.finding import Finding
from tokentoss.oauth.id_token import LEEWAY
from tokentoss.texts import ENGLISH
from tokentoss.util.certificates import borrow_context, give_back, shown_source
from tokentoss.util.failures import ConnectError, TransportError
from tokentoss.util.http import Answer, call
from tokentoss.util.proxies import proxy_for
from tokentoss.util.pyodide import in_browser

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokentoss.config.client_config import ClientConfig
    from tokentoss.oauth.provider import Provider

DEADLINE = 6.0
"""Seconds that an endpoint has to answer."""

MAX_CAUSE = 600
"""Characters of a cause, which names paths."""

_OK, _BAD_REQUEST, _REDIRECT, _SERVER_ERROR = 200, 400, 300, 500


@dataclass(frozen=True)
class _Reply:
    answer: Answer | None
    failure: TransportError | None
    sent_at: float
    received_at: float

    @property
    def took(self) -> str:
        return f"{(self.received_at - self.sent_at) * 1000:.0f} ms"


def network_findings(config: ClientConfig | None, provider: Provider | None) -> list[Finding]:
    """Call the token endpoint, without credentials, and the key set; compare the clocks."""
    token_endpoint = config.token_uri if config is not None else provider.token_endpoint if provider else None
    reply, keys = _ask_all(
        ("POST", token_endpoint, {"grant_type": "refresh_token"}) if token_endpoint else None,
        ("GET", provider.jwks_uri, None) if provider and provider.jwks_uri else None,
    )
    findings = []
    if token_endpoint and reply:
        findings.append(_token_endpoint(token_endpoint, reply))
    if provider and keys:
        findings.append(_key_set(provider.jwks_uri, keys))
    findings += way_findings(token_endpoint)
    findings.append(_clock([one for one in (reply, keys) if one is not None and one.answer is not None]))
    return findings


def _ask_all(*calls: tuple[str, str, Mapping[str, str] | None] | None) -> list[_Reply | None]:
    """Make the calls at once, or one after the other where there are no threads."""

    def ask(call: tuple[str, str, Mapping[str, str] | None] | None) -> _Reply | None:
        return _ask(*call) if call else None

    if in_browser():
        return [ask(call) for call in calls]
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(ask, calls))


def _ask(method: str, url: str, form: Mapping[str, str] | None = None) -> _Reply:
    sent_at = time.time()
    try:
        answer = call(method, url, form=form, max_bytes=524_288, deadline=DEADLINE)
    except TransportError as failure:
        return _Reply(None, failure, sent_at, time.time())
    return _Reply(answer, None, sent_at, time.time())


def _token_endpoint(url: str, reply: _Reply) -> Finding:
    """A request without a token gets an OAuth error (RFC 6749 section 5.2), and so tells that all is well."""
    answer = reply.answer
    if answer is None:
        return _no_answer("token endpoint", url, reply.failure)
    document = answer.json_object()
    if answer.status >= _BAD_REQUEST and document is not None and "error" in document:
        return Finding("token endpoint", url, text=f"{url} answers ({reply.took})")
    return _not_what_it_should_be("token endpoint", url, answer)


def _key_set(url: str, reply: _Reply) -> Finding:
    answer = reply.answer
    if answer is None:
        return _no_answer("signing keys", url, reply.failure)
    document = answer.json_object() if answer.status == _OK else None
    keys = document.get("keys") if document is not None else None
    if isinstance(keys, list) and keys:
        text = f"{url} answers with {len(keys)} key{'s' if len(keys) > 1 else ''} ({reply.took})"
        return Finding("signing keys", url, text=text)
    return _not_what_it_should_be("signing keys", url, answer)


def _no_answer(name: str, url: str, failure: TransportError | None) -> Finding:
    """Tell certificate, proxy, name, address and provider apart, in the sentences of the error table."""
    if failure is not None and error_codes.is_known(failure.reason):
        cause, step = _cause_and_step(failure)
        return Finding(name, failure.reason, "error", f"{url}: {cause}", step)
    hint = (
        f"Check the network, and that a proxy or firewall lets this machine reach {urlsplit(url).hostname}."
    )
    detail = failure.subject.removeprefix(url) if failure is not None and failure.subject else ""
    return Finding(name, url, "error", f"{url} cannot be reached{detail}", hint)


def _cause_and_step(failure: ConnectError | TransportError) -> tuple[str, str]:
    cause, _, step = error_codes.sentence(failure.reason, failure.subject, MAX_CAUSE, ENGLISH).partition(". ")
    return cause, step


def way_findings(url: str | None) -> list[Finding]:
    """Return which certificates are trusted, and which proxy calls to a provider go through."""
    if in_browser():
        return []
    findings = [_certificates()]
    try:
        proxy = proxy_for(url) if url else None
        findings.append(Finding("proxy", proxy.shown if proxy is not None else "none"))
    except ConnectError as failure:
        cause, step = _cause_and_step(failure)
        findings.append(Finding("proxy", failure.reason, "error", cause, step))
    return findings


def _certificates() -> Finding:
    try:
        give_back(*borrow_context())
    except ConnectError as failure:
        cause, step = _cause_and_step(failure)
        return Finding("certificates", failure.reason, "error", cause, step)
    return Finding("certificates", shown_source())


def _not_what_it_should_be(name: str, url: str, answer: Answer) -> Finding:
    if _REDIRECT <= answer.status < _BAD_REQUEST:
        hint = (
            "Correct the address; if it is right, a proxy or a network's sign-in page answers in its place."
        )
    elif answer.status >= _SERVER_ERROR:
        hint = "Try again later."
    else:
        hint = "Check the address; a proxy or a network's sign-in page may answer in its place."
    return Finding(name, url, "error", f"{url} answers with something else (HTTP {answer.status})", hint)


def _clock(replies: list[_Reply]) -> Finding:
    """Compare with the first answer's date, which is exact to a second."""
    for reply in replies:
        date = reply.answer.headers.get("Date") if reply.answer else None
        try:
            server = parsedate_to_datetime(date).timestamp() if date else None
        except (ValueError, OverflowError):
            server = None
        if server is not None:
            return _skew((reply.sent_at + reply.received_at) / 2 - (server + 0.5), reply)
    return Finding("clock", None, "note", "not compared: no server told its time")


def _skew(ahead: float, reply: _Reply) -> Finding:
    uncertainty = 0.5 + (reply.received_at - reply.sent_at) / 2
    skew = round(ahead, 1)
    if abs(ahead) <= uncertainty:
        return Finding("clock", skew, text=f"agrees with the provider's, to {uncertainty:.1f} s")
    text = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the provider's"
    if abs(ahead) > LEEWAY:
        hint = "Set this machine's clock: ID tokens are refused when it is off by more than a minute."
        return Finding("clock", skew, "error", text, hint)
    if abs(ahead) > LEEWAY / 2:
        return Finding("clock", skew, "warning", text, "Let this machine's clock follow a time server.")
    return Finding("clock", skew, text=text)
