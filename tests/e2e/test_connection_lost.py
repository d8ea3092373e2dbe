"""The page's websocket to the kernel drops between the envelope and its acknowledgement."""

from __future__ import annotations

from playwright.sync_api import WebSocketRoute

from e2e import cells, popup
from e2e.steps import ADA
from e2e.widget import Widget


def test_the_acknowledgement_is_lost_on_the_way(context, open_notebook, provider):
    """C20: what the kernel says while nobody listens is said again once the page is back."""
    connections: list[WebSocketRoute] = []
    lost: list[str] = []

    def route(page_side: WebSocketRoute) -> None:
        server_side = page_side.connect_to_server()
        connections.append(page_side)

        def to_page(message: str | bytes) -> None:
            content = message if isinstance(message, str) else message.decode(errors="replace")
            if "acknowledged" in content and '"is_authenticated": true' in content and not lost:
                lost.append(content)
                page_side.close(code=1012, reason="dropped by the test")
            elif not (lost and page_side is connections[0]):
                page_side.send(message)

        server_side.on_message(to_page)

    context.route_web_socket("**/api/kernels/**", route)
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    widget = Widget(notebook.page)
    window = widget.open_popup()
    popup.sign_in(window, ADA)

    widget.wait_status(f"Signed in as {ADA}")
    assert lost, "the acknowledgement was not intercepted"
    notebook.kernel.until("widget.is_authenticated")
    assert len(provider.exchanges()) == 1
