"""The widgets."""

from tokentoss.widgets.auth import AuthWidget, GoogleAuthWidget
from tokentoss.widgets.configure import ConfigureWidget

__all__ = ["AuthWidget", "ConfigureWidget", "GoogleAuthWidget"]
