"""The widgets."""

from tokentoss.widgets.auth import AuthWidget
from tokentoss.widgets.configure import ConfigureWidget
from tokentoss.widgets.named import BoxAuthWidget, GoogleAuthWidget

__all__ = ["AuthWidget", "BoxAuthWidget", "ConfigureWidget", "GoogleAuthWidget"]
