"""The widgets."""

from tokentoss.widgets.auth import AuthWidget, BoxAuthWidget, GoogleAuthWidget
from tokentoss.widgets.configure import ConfigureWidget

__all__ = ["AuthWidget", "BoxAuthWidget", "ConfigureWidget", "GoogleAuthWidget"]
