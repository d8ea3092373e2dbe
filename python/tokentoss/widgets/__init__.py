"""The widgets."""

from tokentoss.widgets.auth import AuthWidget
from tokentoss.widgets.branded import BoxAuthWidget, GoogleAuthWidget
from tokentoss.widgets.configure import ConfigureWidget
from tokentoss.widgets.status_widget import StatusWidget

__all__ = ["AuthWidget", "BoxAuthWidget", "ConfigureWidget", "GoogleAuthWidget", "StatusWidget"]
