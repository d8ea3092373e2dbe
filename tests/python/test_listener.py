from __future__ import annotations

import http.client
import json
import re
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from fake_provider import FakeProvider
from forked import assert_in_child
from page import ORIGIN, Page, Reply, send
from tokentoss import AuthManager, AuthWidget, ClientConfig, HandOffError, error_codes
from tokentoss.callback import connections as connections_module
from tokentoss.callback import lease as lease_module
from tokentoss.callback.connections import MAX_CONNECTIONS
from tokentoss.callback.lease import lease
from tokentoss.callback.routes import MAX_BODY
from tokentoss.handoff.sealing import RecipientKey
from tokentoss.util.base64url import b64url

Make = Callable[..., AuthManager]


def policy_of(reply: Reply) -> str:
    policy: str = reply.headers["Content-Security-Policy"]
    return policy


def test_the_start_page(page: Page) -> None:
    """The start page has exactly the expected strict headers and a fresh nonce (C19, C21)."""
    reply = send(
        page.listener, "GET", "/tokentoss/start", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document"
    )
    assert reply.status == 200
    headers = {name.lower(): value for name, value in reply.headers.items()}
    nonce = re.search(r"script-src 'nonce-([\w-]+)'", policy_of(reply))
    assert nonce is not None
    assert headers == {
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": (
            f"default-src 'none'; script-src 'nonce-{nonce[1]}'; style-src 'nonce-{nonce[1]}'; "
            "connect-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        "content-length": str(len(reply.text.encode())),
        "connection": "close",
    }
    again = send(page.listener, "GET", "/tokentoss/start")
    assert nonce[1] not in again.text
    assert "{{" not in reply.text
    assert not re.search(r"https?://", reply.text)


def test_the_callback_page(page: Page) -> None:
    """The page repeats no query text, has strict headers, posts to one origin (C14, C19, C21, C22, C23)."""
    page.register()
    markup = "<img src=x onerror=alert(1)>"
    query = urlencode({"error": "unheard_of", "error_description": markup, "state": page.state})
    reply = page.callback(query)
    assert reply.status == 200
    assert "cross-origin-opener-policy" not in {name.lower() for name in reply.headers}
    assert "frame-ancestors 'none'" in policy_of(reply)
    for text in ("unheard_of", "onerror", page.state, "description"):
        assert text not in reply.text, "no text of the query is in the page"
    assert "history.replaceState" in reply.text
    assert json.loads(re.findall(r'id="page"[^>]*>(.*?)</script>', reply.text)[0])["origin"] == ORIGIN
    assert not re.search(r"https?://", reply.text.replace(ORIGIN, ""))
    assert '"*"' not in reply.text


def test_nothing_but_loopback(page: Page) -> None:
    """The listener is bound to 127.0.0.1 only (C27)."""
    port = urlsplit(page.listener).port
    (bound,) = lease_module._listeners.values()
    assert [one.socket.getsockname() for one in bound._servers] == [("127.0.0.1", port)]


def test_registration_and_the_sealed_client_secret(page: Page) -> None:
    reply = page.register()
    assert reply.status == 200
    assert set(reply.json()) == {"url", "answer"}
    assert reply.json()["url"] == page.url()
    assert page.client_secret == "secret-1"
    assert "secret-1" not in reply.text


def test_registration_of_a_public_client(make_manager: Make, fake: FakeProvider) -> None:
    widget = AuthWidget(auth_manager=make_manager(client_config=ClientConfig("public")))
    page = Page(widget.ticket)
    page.register()
    assert page.proof is not None
    assert page.client_secret is None
    widget.close()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ticket": "unknown"}, "ticket_unknown"),
        ({"ticket": ""}, "ticket_unknown"),
        ({"sealed": ""}, "registration_refused"),
        ({"sealed": "x" * 200}, "registration_refused"),
        ({"sealed": "é"}, "registration_refused"),
        ({"answer_key": ""}, "registration_refused"),
        ({"answer_key": 5}, "registration_refused"),
        ({"answer_key": b64url(bytes(31))}, "registration_refused"),
        ({"proof": 5}, "registration_refused"),
        ({"url": None}, "registration_refused"),
        ({"origin": "null"}, "page_origin_opaque"),
        ({"origin": ""}, "registration_refused"),
        ({"origin": "*"}, "registration_refused"),
        ({"origin": "https://x.example/path"}, "registration_refused"),
        ({"origin": "https://x</script><script>"}, "registration_refused"),
        ({"origin": 'https://x"'}, "registration_refused"),
        ({"origin": "https://" + "x" * 600}, "registration_refused"),
        ({"key": ""}, "registration_refused"),
        ({"key": b64url(bytes(31))}, "registration_refused"),
        ({"key": "not base64"}, "registration_refused"),
        ({"key": b64url(bytes(32))}, "sealing_failed"),
    ],
)
def test_refused_registrations(page: Page, change: dict[str, Any], code: str) -> None:
    reply = page.register(**change)
    assert (reply.status, reply.json()) == (403, {"code": code})
    assert page.register().status == 200, "the real page is not harmed"


@pytest.mark.parametrize(
    "change", [{"origin": "https://elsewhere.example"}, {"key": b64url(RecipientKey.generate().public)}]
)
def test_a_registered_attempt_cannot_be_taken_over(page: Page, change: dict[str, str]) -> None:
    assert page.register().status == 200
    assert page.register(**change).json() == {"code": "registration_refused"}
    assert page.callback().status == 200


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "other"},
        {"client_id": None},
        {"redirect_uri": "http://127.0.0.1:1/"},
        {"response_type": "token"},
        {"state": None},
        {"state": "short"},
        {"state": "x" * 600},
        {"state": "<script>alert(1)</script>"},
    ],
)
def test_a_popup_goes_on_only_to_an_authorization_request_of_this_ticket(
    page: Page, change: dict[str, str | None]
) -> None:
    """A registration with another client, redirect URI, response type or state is refused (C24)."""
    assert page.register(url=page.url(**change)).json() == {"code": "registration_refused"}


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda url: "javascript:alert(1)//" + url,
        lambda url: url.replace("http://127.0.0.1", "https://127.0.0.1"),
        lambda url: url.replace("http://127.0.0.1", "http://evil.example"),
        lambda url: url.replace("http://127.0.0.1", "http://evil.example@127.0.0.1"),
        lambda url: url.replace("http://127.0.0.1", "http://127.0.0.1@evil.example"),
        lambda url: url.replace("/auth?", "/auth/../evil?"),
        lambda url: url.replace("/auth?", "/evil?"),
        lambda url: url.replace("/auth?", "\\evil.example/auth?"),
        lambda url: url + "&state=" + "y" * 32,
        lambda url: url + "&client_id=other",
        lambda url: url + "#fragment",
        lambda url: " " + url,
        lambda url: url + "\n",
        lambda url: "//evil.example/auth",
        lambda url: "",
    ],
)
def test_open_redirects(page: Page, rewrite: Callable[[str], str]) -> None:
    """A registration whose URL is not the expected authorization request is refused (C10, C24)."""
    assert page.register(url=rewrite(page.url())).json() == {"code": "registration_refused"}


def test_an_endpoint_with_a_query_keeps_it(make_manager: Make, fake: FakeProvider) -> None:
    """A registration is refused if its URL lacks the authorization endpoint's own query (C12)."""
    provider = fake.provider(authorization_endpoint=fake.issuer + "/auth?tenant=1")
    widget = AuthWidget(auth_manager=make_manager(provider=provider))
    page = Page(widget.ticket)
    good = page.url().replace("tenant=1?", "tenant=1&")
    assert page.register(url=good.replace("tenant=1&", "")).json() == {"code": "registration_refused"}
    assert page.register(url=good).status == 200
    widget.close()


@pytest.mark.parametrize("path", ["register", "relay", "deliver"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": None},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
        {"Content_Type": "text/plain"},
        {"Content_Type": None},
    ],
)
def test_posts_of_strangers(page: Page, path: str, headers: dict[str, str | None]) -> None:
    """A POST of another origin, or with a content type that forms can send, gets 403 (C30)."""
    reply = send(page.listener, "POST", f"/tokentoss/{path}", page.registration(), **headers)
    assert reply.status == 403
    assert "access-control-allow-origin" not in {name.lower() for name in reply.headers}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Mode": "no-cors"},
        {"Sec_Fetch_Mode": "cors"},
        {"Sec_Fetch_Mode": "websocket"},
        {"Sec_Fetch_Dest": "iframe"},
        {"Sec_Fetch_Dest": "image"},
        {"Sec_Purpose": "prefetch"},
    ],
)
def test_only_top_level_navigations_reach_the_callback(page: Page, headers: dict[str, str]) -> None:
    """A request that is no top-level navigation gets 403 and uses no answer up (C30)."""
    page.register()
    assert page.callback(**headers).status == 403
    assert send(page.listener, "GET", "/tokentoss/start", **headers).status == 403
    assert page.callback(Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document").status == 200


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"])
def test_other_methods(page: Page, method: str) -> None:
    """Any method but GET gets 405 on the callback path, and the sign-in goes on (C30)."""
    page.register()
    query = urlencode({"code": "c", "state": page.state})
    assert send(page.listener, method, f"/?{query}", b"" if method == "POST" else None).status == 405
    assert page.callback().status == 200


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "evil.example",
        "localhost:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "[::1]:{port}",
        "127.0.0.1:{port}.",
        "127.0.0.1:{port}\tx",
    ],
)
def test_rebinding(page: Page, host: str | None) -> None:
    """A request with a missing or different Host gets 403, and the sign-in goes on (C29)."""
    page.register()
    value = host and host.format(port=urlsplit(page.listener).port)
    assert page.callback(Host=value).status == 403
    reply = send(page.listener, "POST", "/tokentoss/register", page.registration(), Host=value)
    assert reply.status == 403
    assert page.callback().status == 200


def test_two_hosts_are_none(page: Page) -> None:
    """A request with two Host headers gets 403 (C29)."""
    authority = urlsplit(page.listener).netloc
    with socket.create_connection(("127.0.0.1", urlsplit(page.listener).port)) as connection:
        connection.sendall(
            f"GET /tokentoss/start HTTP/1.1\r\nHost: {authority}\r\nHost: evil\r\n\r\n".encode()
        )
        assert b" 403 " in connection.recv(4096)


def test_a_racer_does_not_end_the_sign_in(page: Page) -> None:
    """100 callbacks with bad states or errors do not end the sign-in (C31, C32)."""
    page.register()
    for number in range(100):
        query = (
            "error=x",
            "code=x&state=bad",
            "code=x",
            f"state={page.state}",
            "",
            f"code=x&state={page.state}&state=y",
        )
        assert page.callback(query[number % 6]).status == 400
    assert page.callback("code=c&state=" + page.state).status == 200
    assert page.callback("code=c&state=" + page.state).status == 400, "once (C6)"


def test_an_answer_of_another_sign_in_says_so(page: Page) -> None:
    """An unknown state gets a text answer that repeats nothing of the request (C6, C22)."""
    page.register()
    reply = page.callback("code=c&state=%3Cimg%20src%3Dx%3E")
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert reply.text == f"{error_codes.sentence('state_mismatch')} (state_mismatch)\n"


@pytest.mark.parametrize(
    "path", ["/callback", "//", "/x", "/tokentoss", "/tokentoss/start/", "/favicon.ico", "/../", "/%2e/"]
)
def test_only_the_exact_path(page: Page, path: str) -> None:
    """A callback on any path but the exact one gets 404, and the sign-in goes on (C30)."""
    page.register()
    reply = send(page.listener, "GET", f"{path}?code=c&state={page.state}")
    assert reply.status == 404
    assert page.callback().status == 200


def test_an_answer_before_any_registration(page: Page) -> None:
    assert page.callback().status == 400


def test_two_sign_ins_on_one_listener(make_manager: Make) -> None:
    """Two sign-ins on one listener each answer to the origin of their own page (C4, C39)."""
    widgets = [AuthWidget(auth_manager=make_manager()) for _ in range(2)]
    first, second = (Page(widget.ticket) for widget in widgets)
    assert first.listener == second.listener
    first.register(origin="https://first.example")
    second.register(origin="https://second.example")
    assert "second.example" in second.callback().text
    assert "first.example" in first.callback().text
    for widget in widgets:
        widget.close()


def test_delivery_through_the_listener(
    page: Page, widget: AuthWidget, fake: FakeProvider, eventually: Callable[..., Any]
) -> None:
    """An envelope delivered through the listener signs in."""
    token = page.reach_callback()
    assert page.post("/tokentoss/deliver", page_token="x", sealed="y").json() == {"code": "ticket_unknown"}
    assert page.post("/tokentoss/deliver", page_token=token, sealed="y").json() == {
        "code": "envelope_unreadable"
    }
    sealed = page.envelope(fake)
    assert page.post("/tokentoss/deliver", page_token=token, sealed=sealed).json() == {"code": ""}
    assert widget.is_authenticated
    assert widget.acknowledged == page.ticket["id"]
    assert page.post("/tokentoss/deliver", page_token=token, sealed=sealed).json() == {"code": ""}, (
        "while it lingers"
    )
    (bound,) = lease_module._listeners.values()
    assert bound.closed.wait(20), "nothing listens once the sign-in is over (C28)"
    with pytest.raises(ConnectionRefusedError):
        send(page.listener, "GET", "/tokentoss/start")
    eventually(lambda: not [one for one in threading.enumerate() if one.name == "tokentoss-listener"])


def test_a_bad_envelope_is_answered_with_its_code(page: Page, widget: AuthWidget, fake: FakeProvider) -> None:
    token = page.reach_callback()
    sealed = page.envelope(fake, {"nonce": "other"})
    reply = page.post("/tokentoss/deliver", page_token=token, sealed=sealed)
    assert reply.json() == {"code": "id_token_nonce_mismatch"}
    assert widget.error_code == "id_token_nonce_mismatch"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {"Content_Length": None}, 411),
        (b"{}", {"Content_Length": "-1"}, 411),
        (b"{}", {"Content_Length": "2, 2"}, 411),
        (b"{}", {"Content_Length": "٢"}, 411),
        (b"{}", {"Transfer_Encoding": "chunked"}, 413),
        (b"", {"Content_Length": str(MAX_BODY + 1)}, 413),
        (b"", {"Content_Length": "9" * 40}, 413),
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b'{"ticket": 5}', {}, 400),
        (b'{"ticket": null}', {}, 400),
        (b"\xff", {}, 400),
        (b"[" * 9000, {}, 400),
    ],
)
def test_malformed_posts(page: Page, body: bytes, headers: dict[str, str | None], status: int) -> None:
    if headers.get("Content_Length") == "٢":
        headers = {"Content_Length": "two"}
    assert send(page.listener, "POST", "/tokentoss/register", body, **headers).status == status
    assert page.register().status == 200


@pytest.mark.parametrize(
    "junk",
    [
        b"\r\n",
        b"GET\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"\x00" * 70_000,
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"GET / HTTP/1.1\r\nA: " + b"b" * 70_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n: x\r\n\r\n",
        b"<script> HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_junk_is_not_quoted_and_harms_nobody(
    page: Page, junk: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    """A malformed request is not echoed, and the listener goes on to answer (C22)."""
    with socket.create_connection(("127.0.0.1", urlsplit(page.listener).port), timeout=20) as connection:
        answer = b""
        try:
            connection.sendall(junk)
            connection.shutdown(socket.SHUT_WR)
            while data := connection.recv(65_536):
                answer += data
        except ConnectionError:
            pass
    assert b"script" not in answer
    assert b"aaaa" not in answer
    assert page.register().status == 200
    assert capfd.readouterr().err == ""


def test_requests_are_never_logged(
    page: Page, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A callback's code appears in no output or log (C70)."""
    caplog.set_level("DEBUG")
    page.register()
    page.callback("code=the-secret-code&state=" + page.state)
    page.callback("code=the-secret-code&state=bad")
    out, err = capfd.readouterr()
    assert "the-secret-code" not in out + err + caplog.text


def test_idle_connections_and_slow_requests_stop_nobody(page: Page) -> None:
    """Idle and slow connections are bounded, and the next request is answered."""
    port = urlsplit(page.listener).port
    authority = urlsplit(page.listener).netloc
    with ExitStack() as stack:
        for number in range(8 * MAX_CONNECTIONS):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            if number % 2:
                one.sendall(f"GET /tokentoss/start HTTP/1.1\r\nHost: {authority}\r\nX-Slow: ".encode())
            if number % 100 == 0:
                assert send(page.listener, "GET", "/tokentoss/start").status == 200
        (bound,) = lease_module._listeners.values()
        assert len(bound.connections) <= MAX_CONNECTIONS
        assert page.register().status == 200
        assert page.callback().status == 200


def test_a_slow_request_is_dropped_in_the_end(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections_module, "DEADLINE", 0.05)
    with socket.create_connection(("127.0.0.1", urlsplit(page.listener).port), timeout=20) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\n")
        assert slow.recv(100) == b""


def test_a_thousand_connections_of_junk(page: Page) -> None:
    port = urlsplit(page.listener).port
    for number in range(1000):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as one:
            one.sendall(b"\x00junk %d\r\n\r\n" % number)
    assert page.register().status == 200


def test_a_free_port_every_time_it_starts(make_manager: Make) -> None:
    """Closing a widget closes its listener, and the next widget opens one that works (C28)."""
    widget = AuthWidget(auth_manager=make_manager())
    (bound,) = lease_module._listeners.values()
    widget.close()
    assert bound.closed.wait(20)
    again = AuthWidget(auth_manager=make_manager())
    assert Page(again.ticket).register().status == 200
    again.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_fixed_port(make_manager: Make, fake: FakeProvider, host: str, free_port: int) -> None:
    """A web client's redirect URI is used exactly, and its port can be bound again at once (C9)."""
    uri = f"http://{host}:{free_port}/oauth/callback"
    config = ClientConfig("web-client", "s", client_type="web", redirect_uris=["https://x.example/", uri])
    for _ in range(3):
        widget = AuthWidget(auth_manager=make_manager(client_config=config))
        page = Page(widget.ticket)
        assert page.ticket["redirect_uri"] == uri
        assert page.register().status == 200
        assert page.callback().status == 200
        (bound,) = lease_module._listeners.values()
        widget.close()
        bound.close()


def test_a_taken_port_is_an_error_in_the_widget(make_manager: Make, free_port: int) -> None:
    uri = f"http://127.0.0.1:{free_port}/"
    config = ClientConfig("web-client", "s", client_type="web", redirect_uris=[uri])
    with socket.create_server(("127.0.0.1", free_port)):
        widget = AuthWidget(auth_manager=make_manager(client_config=config))
        assert widget.error_code == "loopback_unavailable"
        assert str(free_port) in widget.error
        assert widget.ticket == {}
        assert widget.status.startswith("Error: ")
        with pytest.raises(HandOffError):
            lease("127.0.0.1", free_port)
    widget.close()


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_localhost_is_taken_on_both_addresses(free_port: int) -> None:
    """A port that another program has on ::1 is refused for localhost."""
    try:
        stranger = socket.create_server(("::1", free_port), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no ::1")
    with stranger, pytest.raises(HandOffError) as refusal:
        lease("localhost", free_port)
    assert refusal.value.code == "loopback_unavailable"


def test_a_forked_process_has_no_listener(page: Page) -> None:
    assert_in_child(lambda: not lease_module._listeners and not lease_module._listeners_lock.locked())
    assert page.register().status == 200, "the parent's goes on"


def test_connections_end_with_their_answer(page: Page) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(page.listener).port, timeout=20)
    connection.request("GET", "/tokentoss/start")
    response = connection.getresponse()
    response.read()
    assert response.will_close
    connection.close()


def test_clients_that_dribble_after_their_answer_are_bounded(page: Page) -> None:
    """Clients that go on sending bytes keep a bounded number of threads (S13)."""
    port = urlsplit(page.listener).port
    authority = urlsplit(page.listener).netloc
    (bound,) = lease_module._listeners.values()
    before = threading.active_count()
    with ExitStack() as stack:
        dribbling = []
        for _ in range(4 * MAX_CONNECTIONS):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            one.sendall(f"GET /nowhere HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
            dribbling.append(one)
            for other in dribbling[-MAX_CONNECTIONS:]:
                with suppress(OSError):
                    other.sendall(b"x")
            assert len(bound.connections) <= MAX_CONNECTIONS
            assert threading.active_count() - before <= MAX_CONNECTIONS
        assert page.register().status == 200
        assert page.callback().status == 200


def test_a_dribbling_client_is_left_in_the_end(page: Page, eventually: Callable[..., Any]) -> None:
    """The connection of a client that goes on sending bytes is closed in the end (S13)."""
    (bound,) = lease_module._listeners.values()
    authority = urlsplit(page.listener).netloc
    with socket.create_connection(("127.0.0.1", urlsplit(page.listener).port), timeout=20) as one:
        one.sendall(f"GET /nowhere HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
        assert one.recv(65_536).startswith(b"HTTP/1.1 404")

        def is_left() -> bool:
            with suppress(OSError):
                one.sendall(b"x")
            return len(bound.connections) == 0

        eventually(is_left)
