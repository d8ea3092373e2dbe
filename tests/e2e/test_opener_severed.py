"""The provider's Cross-Origin-Opener-Policy severs the opener, and sign-ins still finish."""

from __future__ import annotations

import pytest

from e2e import cells, popup
from e2e.widget import Widget

pytestmark = pytest.mark.kept_page

POLICIES = {
    "same-origin": {"coop": "same-origin"},
    "same-origin-allow-popups": {"coop": "same-origin-allow-popups"},
    "noopener-allow-popups": {"coop": "noopener-allow-popups"},
    "same-origin-on-a-redirect": {"coop": "same-origin", "coop_on_redirects_only": True},
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("kind", ["public", "confidential"])
def test_the_relay_through_the_kernel_finishes_the_sign_in(open_notebook, provider, policy, kind):
    """A sign-in finishes through the kernel if the opener is severed (C18, C20)."""
    notebook = open_notebook(cells.show_widget(provider, getattr(provider, kind)))
    notebook.run_cell(0)
    provider.change(**POLICIES[policy])
    widget = Widget(notebook.page)

    window = widget.open_popup()
    popup.answer_login(window, "ada@example.com")
    assert window.evaluate("() => window.opener === null"), "the policy did not sever the opener"
    widget.wait_status("Waiting for you in the popup")
    popup.sign_in(window, "ada@example.com")
    popup.wait_closed(window)

    widget.wait_status("Signed in as ada@example.com")
    notebook.kernel.until("widget.is_authenticated")
    assert notebook.kernel.value("widget.user_email") == "ada@example.com"
    assert len(provider.exchanges()) == 1


def test_declined_consent_behind_the_policy(open_notebook, provider):
    """A declined consent is reported even if the opener is severed (C38, C44)."""
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    provider.change(coop="same-origin")
    widget = Widget(notebook.page)
    window = widget.open_popup()
    popup.answer_login(window, "ada@example.com")
    popup.decline(window)

    notebook.kernel.until("widget.error_code == 'access_denied'")
    widget.wait_status(notebook.kernel.value("widget.error"))
