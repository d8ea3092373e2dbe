"""Source of the notebook cells that the tests run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from servers.iap_api import IapLikeApi
    from servers.provider import Client, LocalProvider

IMPORTS = "import pathlib\nfrom tokentoss import AuthWidget, FileStorage, IAPClient, MemoryStorage, Provider"


def make_widget(
    provider: LocalProvider,
    client: Client,
    name: str = "widget",
    storage: str = "MemoryStorage()",
    **options: object,
) -> str:
    """A widget for the local provider; its tokens live in memory alone unless another storage is named.

    `options` are further arguments of the widget.
    """
    arguments = [f"provider=Provider.discover({provider.issuer!r})", f"client_id={client.client_id!r}"]
    if client.secret_file:
        arguments.append(f"client_secret=pathlib.Path({str(client.secret_file)!r}).read_text()")
    arguments.append(f"storage={storage}")
    arguments += [f"{option}={value!r}" for option, value in options.items()]
    return f"{IMPORTS}\n{name} = AuthWidget({', '.join(arguments)})"


def show_widget(
    provider: LocalProvider,
    client: Client,
    name: str = "widget",
    storage: str = "MemoryStorage()",
    **options: object,
) -> str:
    """The same, displayed."""
    return f"{make_widget(provider, client, name, storage, **options)}\ndisplay({name})"


def make_web_widget(provider: LocalProvider, client: Client, *pages: str) -> str:
    """A widget whose client is registered for callback pages alone, without loopback."""
    secret = f"pathlib.Path({str(client.secret_file)!r}).read_text()" if client.secret_file else "''"
    return f"""{IMPORTS}
from tokentoss import ClientConfig
provider = Provider.discover({provider.issuer!r})
client = ClientConfig(
    {client.client_id!r},
    {secret},
    auth_uri=provider.authorization_endpoint,
    token_uri=provider.token_endpoint,
    client_type="web",
    redirect_uris={list(pages)!r},
)
widget = AuthWidget(provider=provider, client_config=client, storage=MemoryStorage())"""


def show_web_widget(provider: LocalProvider, client: Client, *pages: str) -> str:
    """The same, displayed."""
    return f"{make_web_widget(provider, client, *pages)}\ndisplay(widget)"


def call_api(api: IapLikeApi) -> str:
    """Fetch the data of the API as the signed-in user."""
    return f"IAPClient(base_url={api.base_url!r}, provider={api.issuer!r}).get_json('/api/data')"


def try_api(api: IapLikeApi) -> str:
    """The same, where the error is expected: prints the data, or the error's class and code."""
    failed = "print(type(error).__name__, error.code)"
    return f"try:\n    print({call_api(api)})\nexcept Exception as error:\n    {failed}"


def stay_busy(release: Path, *, seen: Path, condition: str) -> str:
    """Keep the kernel's main thread until the file `release` exists; write `seen` once the condition holds.

    The cap of two minutes only bounds a failing test.
    """
    return f"""
import pathlib, time
release, seen = pathlib.Path({str(release)!r}), pathlib.Path({str(seen)!r})
deadline = time.monotonic() + 120
while not release.exists() and time.monotonic() < deadline:
    if {condition} and not seen.exists():
        seen.write_text(str(time.time()))
    time.sleep(0.02)
"""
