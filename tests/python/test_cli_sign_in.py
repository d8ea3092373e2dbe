"""``tokentoss sign-in`` with a simulated user; tests/kernel/test_terminal.py uses a real terminal."""

from __future__ import annotations

import getpass
import io
import sys
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import tokentoss
from command_steps import SECRET, Store, Tty
from fake_provider import Answer, FakeProvider
from page import Reply, send
from test_secrets_in_objects import locals_of
from tokentoss import FileStorage, SignInError, TokenTossError, error_codes
from tokentoss.broker import FakeBroker
from tokentoss.cli import broker_sign_in, main, terminal_sign_in
from tokentoss.handoff import kernel_sign_in
from tokentoss.oauth import device_authorization
from tokentoss.storage.token_data import iso_time
from tokentoss.util import pyodide

ADA, GRACE = "ada@example.com", "grace@example.com"


class User:
    """Somebody in front of a terminal, with a browser: what they see, and what they do."""

    def __init__(self, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fake = fake
        self.screen: io.StringIO = Tty()
        self.keyboard: io.StringIO | None = Tty()
        self._patch = monkeypatch
        self.opened: list[str] = []
        self.pages: list[threading.Thread] = []
        self.request: dict[str, str] = {}
        self.replies: list[Reply] = []
        self.answer = self.grant
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("DISPLAY", ":0")
        for name in ("BROWSER", "SSH_CONNECTION", "WAYLAND_DISPLAY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(webbrowser, "open", self.open)

    @property
    def saw(self) -> str:
        return self.screen.getvalue()

    def sit_down(self) -> None:
        """Be in front of the terminal: in the test itself, because pytest sets the streams before it."""
        self._patch.setattr(sys, "stdin", self.keyboard)
        self._patch.setattr(sys, "stderr", self.screen)

    def run(self, *arguments: str) -> int:
        self.sit_down()
        code = main(list(arguments))
        for page in self.pages:
            page.join(20)
        return code

    def open(self, address: str) -> bool:
        """The browser: the command returns, and the page loads beside it."""
        self.opened.append(address)
        self.pages.append(threading.Thread(target=self.sign_in, args=(address,), daemon=True))
        self.pages[-1].start()
        return True

    def sign_in(self, address: str) -> None:
        origin = "http://" + urlsplit(address).netloc
        first = send(origin, "GET", address.removeprefix(origin))
        self.read(first.headers["Location"])
        self.come_back(self.answer())

    def read(self, link: str) -> None:
        assert link.startswith(self.fake.issuer + "/auth?")
        self.request = dict(parse_qsl(urlsplit(link).query, strict_parsing=True))

    def come_back(self, query: str) -> None:
        parts = urlsplit(self.request["redirect_uri"])
        self.replies.append(send(f"http://{parts.netloc}", "GET", f"{parts.path}?{query}"))

    def grant(self, **claims: Any) -> str:
        """Let the provider give tokens for a code; return the query of its answer."""
        named = {"nonce": self.request["nonce"]} | claims
        tokens = self.fake.token_response(
            access_token="access-9", id_token=self.fake.id_token(**named), refresh_token="refresh-9"
        )
        self.fake.answers["/token"] = Answer.json(tokens)
        return self.query(code="code-9")

    def query(self, **parameters: str) -> str:
        return urlencode({"state": self.request["state"]} | parameters)


@pytest.fixture
def user(fake: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> User:
    fake.answers["/.well-known/openid-configuration"] = Answer.json(
        fake.metadata(device_authorization_endpoint=fake.issuer + "/device")
    )
    return User(fake, monkeypatch)


@pytest.fixture
def sign_in(configured: Path, user: User) -> Callable[..., int]:
    return lambda *options: user.run("sign-in", "--provider", user.fake.issuer, *options)


def no_secret_in(text: str, user: User) -> None:
    verifiers = [form["code_verifier"] for _, _, _, form in user.fake.requests if "code_verifier" in form]
    for secret in (SECRET, "code-9", "access-9", "refresh-9", *verifiers):
        assert secret not in text


Sign = Callable[..., int]


def test_with_a_browser(sign_in: Sign, user: User, capsys: pytest.CaptureFixture[str]) -> None:
    assert sign_in() == 0
    path = FileStorage().path
    said = capsys.readouterr().out
    assert said == f"Signed in as {ADA}: the tokens are in {path}, which only you can read\n"
    (tokens,) = FileStorage().load_all()
    assert (tokens.user_email, tokens.refresh_token) == (ADA, "refresh-9")
    (form,) = [form for _, target, _, form in user.fake.requests if target == "/token"]
    assert (form["code"], form["client_secret"]) == ("code-9", SECRET)
    no_secret_in(user.saw + said, user)


def test_a_file_that_holds_no_tokens_is_set_aside(sign_in: Sign) -> None:
    path = FileStorage().path
    path.parent.mkdir(parents=True, mode=0o700)
    path.write_text("not JSON")
    path.chmod(0o600)
    assert sign_in() == 0
    assert [tokens.user_email for tokens in FileStorage().load_all()] == [ADA]
    (aside,) = path.parent.glob("*.corrupt-*")
    assert aside.read_text() == "not JSON"


def test_the_last_page_says_that_it_worked(sign_in: Sign, user: User) -> None:
    assert sign_in() == 0
    assert "<title>Signed in</title>" in user.replies[0].text
    assert f"as \u2068{ADA}\u2069. You can close this window" in user.replies[0].text
    assert [reply.status for reply in user.replies] == [200]


def test_the_command_that_opens_the_browser_holds_no_request(sign_in: Sign, user: User) -> None:
    assert sign_in() == 0
    (address,) = user.opened
    for name in ("state", "nonce", "code_challenge", "client_id"):
        assert user.request[name] not in address
    assert "login_hint" not in user.request


def test_the_provider_says_no(sign_in: Sign, user: User, capsys: pytest.CaptureFixture[str]) -> None:
    user.answer = lambda: user.query(error="access_denied")
    assert sign_in() == 1
    assert user.saw.splitlines()[-1].startswith("error: Access wasn't granted:")
    assert capsys.readouterr().out == ""
    assert [reply.status for reply in user.replies] == [400]
    assert not FileStorage().exists()


def test_a_strangers_answer_ends_nothing(sign_in: Sign, user: User) -> None:
    def stranger_first() -> str:
        user.come_back(urlencode({"state": "x" * 43, "code": "evil"}))
        return user.grant()

    user.answer = stranger_first
    assert sign_in() == 0
    assert [reply.status for reply in user.replies] == [400, 200]


def test_an_id_token_that_is_not_for_this(sign_in: Sign, user: User) -> None:
    user.answer = lambda: user.grant(nonce="another")
    assert sign_in() == 1
    assert "belongs to another sign-in" in user.saw
    assert not FileStorage().exists()


def test_nobody_comes_back(sign_in: Sign, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_sign_in, "LIFETIME", 0.05)
    monkeypatch.setattr(webbrowser, "open", lambda _address: True)
    assert sign_in() == 1
    assert user.saw.splitlines()[-1] == "error: The sign-in wasn't finished in time. Try again."


def test_interrupted(sign_in: Sign, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(address: str) -> bool:
        user.opened.append(address)
        raise KeyboardInterrupt

    monkeypatch.setattr(webbrowser, "open", interrupt)
    assert sign_in() == 130
    assert user.saw.endswith("\nCancelled.\n")
    origin = "http://" + urlsplit(user.opened[0]).netloc
    # The listener lingers for a moment, and knows the request no more.
    assert send(origin, "GET", user.opened[0].removeprefix(origin)).status == 404
    assert not [one for one in threading.enumerate() if isinstance(one, threading.Timer)]


def test_those_who_are_signed_in_stay(
    sign_in: Sign, user: User, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new sign-in keeps the other accounts, and the user is told who is signed in."""
    store(GRACE, "user-2", created_at=iso_time(0.0))
    store(GRACE, "user-3")
    assert sign_in() == 0
    assert f"{GRACE} is signed in already, and stays so.\n" in user.saw
    assert user.saw.count("already") == 1, "an ended session is none"
    assert [tokens.subject for tokens in FileStorage().load_all()] == ["user-1", "user-3", "user-2"]
    assert sign_in() == 0, "the same account once more"
    assert [tokens.subject for tokens in FileStorage().load_all()] == ["user-1", "user-3", "user-2"]


def test_tokens_that_cannot_be_stored(
    sign_in: Sign, user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Tokens that cannot be stored give an error and no message "Signed in"."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("TOKENTOSS_TOKEN_FILE", str(blocked / "tokens.json"))
    assert sign_in() == 1
    assert "error: Couldn't write " in user.saw
    assert "Signed in" not in capsys.readouterr().out


# Without a browser


def pasting(user: User, monkeypatch: pytest.MonkeyPatch, *texts: Callable[[], str] | str) -> list[str]:
    """Let the user paste these, one after the other; return the questions."""
    asked: list[str] = []
    waiting = list(texts)

    def ask(question: str) -> str:
        asked.append(question)
        if not user.request:
            user.read(next(line for line in user.saw.splitlines() if line.startswith("http")))
        text = waiting.pop(0)
        return text if isinstance(text, str) else text()

    monkeypatch.setattr(getpass, "getpass", ask)
    return asked


def test_a_link_and_the_address_that_it_ends_on(
    sign_in: Sign, user: User, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = pasting(user, monkeypatch, lambda: f" {user.request['redirect_uri']}?{user.grant()} ")
    assert sign_in("--no-browser") == 0
    assert asked == ["Address (not shown): "]
    assert user.opened == []
    assert [tokens.user_email for tokens in FileStorage().load_all()] == [ADA]
    no_secret_in(user.saw + capsys.readouterr().out, user)


def test_nobody_listens_where_an_address_is_pasted(
    sign_in: Sign, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def come_back() -> str:
        with pytest.raises(ConnectionRefusedError):
            user.come_back("x")
        raise EOFError

    pasting(user, monkeypatch, come_back)
    assert sign_in("--no-browser") == 130


def test_what_is_no_such_address_is_asked_for_again(
    sign_in: Sign, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = lambda: f"{user.request['redirect_uri']}?{user.grant()}"  # noqa: E731
    wrong = ["", "code-9", "https://evil.example/?code=code-9", "x" * 99_999, "http://\x1b[31m", "\udc80"]
    strange = lambda: f"{user.request['redirect_uri']}?code=code-9&state=other"  # noqa: E731
    asked = pasting(user, monkeypatch, *wrong, strange, good)
    assert sign_in("--no-browser") == 0
    assert len(asked) == len(wrong) + 2
    for words in ("isn't a whole address", "only the code", "another page's address", "another sign-in"):
        assert words in user.saw
    assert "\x1b" not in user.saw
    assert "evil.example" not in user.saw
    no_secret_in(user.saw, user)


def test_the_refusal_is_pasted(sign_in: Sign, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    pasting(user, monkeypatch, lambda: f"{user.request['redirect_uri']}?{user.query(error='access_denied')}")
    assert sign_in("--no-browser") == 1
    assert "Access wasn't granted" in user.saw


def test_an_address_that_comes_too_late(
    sign_in: Sign, user: User, monkeypatch: pytest.MonkeyPatch, eventually: Any
) -> None:
    monkeypatch.setattr(kernel_sign_in, "LIFETIME", 0.05)

    def late() -> str:
        timers = lambda: [one for one in threading.enumerate() if isinstance(one, threading.Timer)]  # noqa: E731
        assert eventually(lambda: not timers())
        return f"{user.request['redirect_uri']}?{user.grant()}"

    asked = pasting(user, monkeypatch, late)
    assert sign_in("--no-browser") == 1
    assert len(asked) == 1
    assert user.saw.splitlines()[-1] == "error: The sign-in wasn't finished in time. Try again."
    assert not FileStorage().exists()


@pytest.mark.parametrize(
    "set_up",
    [
        lambda patch: patch.delenv("DISPLAY"),
        lambda patch: patch.setenv("CODESPACES", "true"),
        lambda patch: patch.setattr(webbrowser, "open", lambda _address: False),
        lambda patch: patch.setattr("tokentoss.callback.attempt.can_listen", lambda: False),
        lambda patch: (patch.setattr(sys, "platform", "darwin"), patch.setenv("SSH_CONNECTION", "x")),
    ],
    ids=["no display", "another machine", "none opens", "no listener", "ssh"],
)
def test_where_no_browser_can_be_opened_the_link_is_shown(
    sign_in: Sign, user: User, monkeypatch: pytest.MonkeyPatch, set_up: Callable[[Any], Any]
) -> None:
    set_up(monkeypatch)
    pasting(user, monkeypatch, lambda: f"{user.request['redirect_uri']}?{user.grant()}")
    assert sign_in() == 0
    assert "Open this link in any browser" in user.saw


def test_a_browser_that_the_environment_names_is_opened(
    sign_in: Sign, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY")
    monkeypatch.setenv("BROWSER", "firefox")
    assert sign_in() == 0
    assert len(user.opened) == 1


# With a code

CODE: dict[str, Any] = {
    "device_code": "device-secret-1",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://login.example/device",
    "expires_in": 600,
    "interval": 0,
}


def test_a_code(
    sign_in: Sign, user: User, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(device_authorization, "SHORTEST_PAUSE", 0.0)
    turns = iter(
        [
            Answer.json({"error": "authorization_pending"}, 400),
            Answer.json(user.fake.token_response(refresh_token="refresh-9")),
        ]
    )
    user.fake.answers["/device"] = Answer.json(CODE)
    user.fake.answers["/token"] = lambda _form: next(turns)
    assert sign_in("--code") == 0
    assert user.saw == (
        "On any device, open https://login.example/device and enter this code: WDJB-MJHT\n"
        "It expires in 9 min.\n"
    )
    assert f"Signed in as {ADA}" in capsys.readouterr().out
    assert user.opened == []


def test_no_code_there(sign_in: Sign, user: User) -> None:
    user.fake.answers["/.well-known/openid-configuration"] = Answer.json(user.fake.metadata())
    assert sign_in("--code") == 1
    assert user.saw.splitlines()[-1].endswith("doesn't support sign-in by code. Leave --code out.")


def test_a_code_interrupted(sign_in: Sign, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_authorization, "SHORTEST_PAUSE", 0.0)

    def interrupt(_tokens: object) -> None:
        raise KeyboardInterrupt

    user.fake.answers["/device"] = Answer.json(CODE)
    monkeypatch.setattr(device_authorization, "ask_for_tokens", lambda *_: interrupt(None))
    assert sign_in("--code") == 130
    assert user.saw.endswith("\nCancelled.\n")
    assert "device-secret-1" not in user.saw


# What stands in the way


@pytest.mark.parametrize("way", [[], ["--no-browser"], ["--code"]])
@pytest.mark.parametrize("missing", ["stdin", "stderr", "closed", "none"])
def test_not_a_terminal(sign_in: Sign, user: User, way: list[str], missing: str) -> None:
    """Without a terminal, the command fails at once, without a prompt or a request."""
    if missing == "stderr":
        user.screen = io.StringIO()
    else:
        user.keyboard = None if missing == "none" else io.StringIO()
    if missing == "closed":
        user.keyboard = Tty()
        user.keyboard.close()
    assert sign_in(*way) == 1
    assert user.saw == f"error: {error_codes.sentence('terminal_missing')}\n"
    assert (user.opened, user.fake.requests) == ([], [])


def test_no_client(user: User) -> None:
    assert user.run("sign-in") == 1
    assert "Run `tokentoss configure FILE`" in user.saw


@pytest.mark.usefixtures("configured")
def test_a_client_that_names_no_provider(user: User) -> None:
    assert user.run("sign-in") == 1
    assert "issuer: --provider URL." in user.saw


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        ("nobody", 'provider "nobody" (there are: google, box,'),
        ("microsoft", "Give the provider's issuer instead: --provider URL."),
        ("google", "belongs to another provider."),
        ("http://login.example.com", "must start with https://"),
        ("", "For others, give the issuer"),
    ],
)
@pytest.mark.usefixtures("configured")
def test_a_provider_that_is_none(user: User, provider: str, words: str) -> None:
    assert user.run("sign-in", "--provider", provider) == 1
    assert words in user.saw
    assert user.opened == []


def test_one_way_at_a_time(sign_in: Sign) -> None:
    with pytest.raises(SystemExit) as end:
        sign_in("--no-browser", "--code")
    assert end.value.code == 2


def test_no_traceback_holds_a_secret(
    configured: Path, user: User, monkeypatch: pytest.MonkeyPatch, fake: FakeProvider
) -> None:
    pasting(user, monkeypatch, lambda: f"{user.request['redirect_uri']}?{user.grant(nonce='another')}")
    manager = tokentoss.AuthManager(provider=fake.provider())
    user.sit_down()
    with pytest.raises(TokenTossError) as failure:
        terminal_sign_in.sign_in(manager, "link")
    no_secret_in(locals_of(failure.value), user)


def test_python_in_a_browser_has_no_terminal_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert not terminal_sign_in.has_terminal()
    with pytest.raises(SignInError) as failure:
        terminal_sign_in.require_terminal()
    assert failure.value.code == "terminal_missing"
    assert not pyodide.in_browser()


# At a broker


@pytest.fixture
def asks(broker: FakeBroker, user: User, monkeypatch: pytest.MonkeyPatch) -> FakeBroker:
    """The broker of the environment, whose page the user's browser opens."""
    monkeypatch.setenv("TOKENTOSS_BROKER", broker.url)
    monkeypatch.setenv("TOKENTOSS_BROKER_KEY", broker.key)
    monkeypatch.setattr(broker_sign_in, "PAUSE", 0.01)
    return broker


def typing(
    user: User, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch, *texts: Callable[[str], str]
) -> None:
    """Let the user come back from the provider, then type what they make of the code that the page shows."""
    codes: list[str] = []

    def open_page(address: str) -> bool:
        user.opened.append(address)
        codes.append(broker.return_from_provider(broker.offered(), email=ADA))
        return True

    waiting = list(texts)

    def readline(_limit: int) -> str:
        return waiting.pop(0)(codes[0])

    monkeypatch.setattr(webbrowser, "open", open_page)
    monkeypatch.setattr(user.keyboard, "readline", readline)


def test_at_a_broker(
    asks: FakeBroker, user: User, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typing(
        user, asks, monkeypatch, lambda _code: "\n", lambda code: f" {code[:4].lower()}-{code[4:].lower()} \n"
    )
    assert user.run("sign-in") == 0
    assert capsys.readouterr().out == f"Signed in as {ADA}: the broker {asks.url} keeps the account\n"
    assert f"Sign in on this page: {asks.url}/connect/" in user.saw
    assert [grant.email for grant in asks.grants] == [ADA]
    assert not FileStorage().exists()
    assert user.opened == [f"{asks.url}/connect/{asks.offered().id}"]
    assert main(["token"]) == 0


def test_a_wrong_code_is_asked_for_again_until_the_broker_has_enough(
    asks: FakeBroker, user: User, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typing(user, asks, monkeypatch, lambda _code: "WRONG\n", lambda code: code + "\n")
    assert user.run("sign-in") == 0
    assert user.saw.count("shows another code") == 1
    typing(user, asks, monkeypatch, *[lambda _code: "WRONG\n"] * 9)
    assert user.run("sign-in") == 1
    assert user.saw.count("error: ") == 1


def test_a_link_to_the_broker(asks: FakeBroker, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_limit: int) -> str:
        raise KeyboardInterrupt

    typing(user, asks, monkeypatch)
    monkeypatch.setattr(user.keyboard, "readline", interrupt)
    real = broker_sign_in.BrokerClient.progress

    def progress(client: Any, *arguments: Any, **named: Any) -> Any:
        asks.return_from_provider(asks.offered(), email=ADA)
        return real(client, *arguments, **named)

    monkeypatch.setattr(broker_sign_in.BrokerClient, "progress", progress)
    assert user.run("sign-in", "--no-browser") == 130
    assert user.opened == []
    assert asks.attempts == {}, "it is given up at the broker, too"
    assert asks.grants == []


@pytest.mark.parametrize("ended", ["failed", "expired", "closed"])
def test_a_sign_in_that_fails_at_the_broker(
    asks: FakeBroker, user: User, monkeypatch: pytest.MonkeyPatch, ended: str
) -> None:
    def open_page(_address: str) -> bool:
        if ended == "failed":
            asks.fail(asks.offered(), "access_denied", "The user said no.")
        elif ended == "expired":
            asks.offered().expires_at = 0.0
        else:
            asks.return_from_provider(asks.offered(), email=ADA)
        return True

    monkeypatch.setattr(webbrowser, "open", open_page)
    assert user.run("sign-in") == (130 if ended == "closed" else 1)
    words = {"failed": "The user said no.", "expired": "has ended", "closed": "Cancelled."}
    assert words[ended] in user.saw
    assert asks.grants == []


def test_a_broker_that_does_not_answer_for_a_moment(
    asks: FakeBroker, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    typing(user, asks, monkeypatch, lambda code: code + "\n")
    real = webbrowser.open

    def open_page(address: str) -> bool:
        problem = {"code": "storage_unavailable", "title": "Busy.", "status": 503, "action": "retry"}
        asks.failures.append(problem)
        return real(address)

    monkeypatch.setattr(webbrowser, "open", open_page)
    assert user.run("sign-in") == 0
    assert asks.failures == []


def test_a_broker_has_no_codes_for_devices(asks: FakeBroker, user: User) -> None:
    assert user.run("sign-in", "--code") == 1
    assert "You can't combine --code with a broker" in user.saw
    assert asks.requests == []
