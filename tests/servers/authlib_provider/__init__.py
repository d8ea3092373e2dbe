"""An OpenID provider around Authlib's server: records and pages are here, the protocol is the library's."""

from .server import AuthlibProvider

__all__ = ["AuthlibProvider"]
