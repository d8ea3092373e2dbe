"""The widgets."""

from tokentoss.widgets.auth import AuthWidget
from tokentoss.widgets.branded import BoxAuthWidget, GoogleAuthWidget
from tokentoss.widgets.configure import ConfigureWidget

__all__ = ["AuthWidget", "BoxAuthWidget", "ConfigureWidget", "GoogleAuthWidget"]
