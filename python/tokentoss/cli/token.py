"""``tokentoss token``: a current token on the standard output, for other programs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tokentoss.broker.address import Broker
from tokentoss.cli.brokered_token import brokered_token
from tokentoss.cli.stored_token import stored_token
from tokentoss.cli.terminal import said
from tokentoss.exceptions import NoCredentialsError, ReauthRequiredError

if TYPE_CHECKING:
    from tokentoss.broker.answers import Kind

NOT_SIGNED_IN = 3
"""Exit code if only a sign-in helps, so that scripts can tell this from other failures."""


def run(access: bool, account: str | None, min_ttl: int | None) -> int:
    """Print the token; return 3 if somebody has to sign in.

    Args:
        access: Whether the access token is wanted instead of the ID token.
        account: The account's e-mail address, login or key; by default the one that is used by default.
        min_ttl: Seconds that the token must have left; by default it is renewed as everywhere.

    Raises:
        TokenTossError: If there is no token for another reason.
    """
    kind: Kind = "access_token" if access else "id_token"
    broker = Broker.of_environment()
    try:
        if broker is None:
            token = stored_token(kind, account, min_ttl)
        else:
            token = brokered_token(broker, kind, account, min_ttl)
    except (NoCredentialsError, ReauthRequiredError) as nobody:
        if nobody.code == "account_ambiguous":
            raise
        print(said("error", message=str(nobody)), file=sys.stderr)  # noqa: T201 - this is what a command does
        return NOT_SIGNED_IN
    # On a terminal as well, as gcloud and gh do it: whoever calls this by hand wants to see the token.
    sys.stdout.write(f"{token}\n")
    return 0
