"""One ID token from google-auth, or why there is none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from google.auth import environment_vars

from tokentoss.exceptions import TokenTossError
from tokentoss.util.failures import without_frames
from tokentoss.util.secret import Secret
from tokentoss.workload.credentials_file import DEFAULT
from tokentoss.workload.google_id_tokens import of_file, of_machine
from tokentoss.workload.google_request import GoogleRequest
from tokentoss.workload.refusals import Asked, error_of

if TYPE_CHECKING:
    from collections.abc import Callable


def mint(source: str, audience: str, impersonate: str | None) -> Secret:
    """Ask for an ID token.

    Args:
        source: A file, or ``"default"``.
        audience: Whom the token is for.
        impersonate: The service account to impersonate, if any.

    Raises:
        ConfigurationError: If the file cannot be used (``credentials_…``).
        TokenRefreshError: If no token is given (``minting_…``, or the code of a network's failure).
    """
    outcome = _outcome(source, audience, impersonate)
    if isinstance(outcome, BaseException):
        # Raised here, it leaves the frames behind in which keys and tokens are.
        raise outcome
    return outcome


def _outcome(source: str, audience: str, impersonate: str | None) -> Secret | BaseException:
    request = GoogleRequest()
    path = os.environ.get(environment_vars.CREDENTIALS) if source == DEFAULT else source
    name = f"{path} (named by {environment_vars.CREDENTIALS})" if path and source == DEFAULT else source
    asked = Asked(name, not path, impersonate)
    try:
        if path:
            made = of_file(path, name, audience, impersonate)
        else:
            made = of_machine(audience, impersonate, request)
        asked.learn_from(made)
        return _token_of(made, request)
    except TokenTossError as failure:
        return without_frames(failure)
    except Exception as failure:  # noqa: BLE001 - google-auth lets many kinds through; each becomes one of ours
        return error_of(failure, asked, request.last)
    except BaseException as failure:  # noqa: BLE001 - the caller raises it; a user interrupts calls as well
        return without_frames(failure)


def _token_of(made: Any, request: Callable[..., Any]) -> Secret:
    made.refresh(request)
    token = made.token
    return Secret(token.decode("ascii") if isinstance(token, bytes) else token)
