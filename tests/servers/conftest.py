"""One provider for the tests of the stand-ins themselves."""

from servers.fixtures import provider, running_provider

__all__ = ["provider", "running_provider"]
