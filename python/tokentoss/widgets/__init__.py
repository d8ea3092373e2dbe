"""The widgets."""

from tokentoss.widgets.auth import AuthWidget, GoogleAuthWidget

__all__ = ["AuthWidget", "GoogleAuthWidget"]
