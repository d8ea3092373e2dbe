"""The example notebook of the clients runs as it is written, against servers on this machine."""

from __future__ import annotations

import ast
import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from fake_provider import Answer, FakeProvider, SigningKey
from test_auth_manager import signed_in
from tokentoss import AuthManager

NOTEBOOK = Path(__file__).parents[2] / "examples" / "clients.ipynb"
SERVICE = "https://my-iap-service.run.app"


def cells() -> list[str]:
    content = json.loads(NOTEBOOK.read_text())["cells"]
    return ["".join(cell["source"]) for cell in content if cell["cell_type"] == "code"]


@pytest.fixture
def service(signing_key: SigningKey, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeProvider]:
    server = FakeProvider(signing_key)
    blob = {"kind": "storage#object", "name": "data.csv", "bucket": "my-bucket", "size": "5"}
    server.answers["/api/data"] = Answer.json({"rows": 3})
    server.answers["/storage/v1/b/my-bucket/o"] = Answer.json({"items": [blob]})
    server.answers["/storage/v1/b/my-bucket/o/data.csv"] = Answer.json(blob)
    server.answers["/download/storage/v1/b/my-bucket/o/data.csv"] = Answer(200, b"a,b,c")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.issuer)
    # Its way of asking what kind a bucket is has no emulator: it would leave this machine.
    monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    yield server
    server.close()


def test_the_notebook(
    make_manager: Callable[..., AuthManager],
    fake: FakeProvider,
    service: FakeProvider,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The notebook's cells run with expired tokens, and one renewal serves every client."""
    manager = signed_in(make_manager, fake, expires_in=-10)
    fake.answers["/token"] = Answer.json(fake.token_response(id_token=fake.id_token()))
    widget = SimpleNamespace(
        auth_manager=manager, credentials=manager.credentials_as_they_are, sign_out=manager.sign_out
    )
    first, *rest = cells()
    names: dict[str, Any] = {}
    exec(first.split("\n\n", maxsplit=1)[0], names)  # its import; the widget itself needs a notebook
    names["widget"] = widget
    for cell in rest:
        code = compile(
            cell.replace(SERVICE, service.issuer), "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        )
        running = eval(code, names)
        if running is not None:
            asyncio.run(running)
    assert capsys.readouterr().out == (
        "{'rows': 3}\n{'rows': 3}\n['data.csv']\n['my-bucket/data.csv']\nb'a,b,c'\n"
    )
    assert fake.calls("/token") == 1
    for _, target, headers, _ in service.requests:
        sent = {name.lower(): value for name, value in headers.items()}["authorization"]
        is_google = "storage" in urlsplit(target).path
        assert (sent == "Bearer access-2") == is_google
    assert manager.account is None
