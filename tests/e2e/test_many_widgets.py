"""Ten widgets in one notebook share their resources and free them."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from e2e import cells, popup
from e2e.widget import Widget, count_windows

ADA = "ada@example.com"
TEN = range(10)

COUNT_INSTANCES = """
window.__instances = 0;
for (const name of ['instantiate', 'instantiateStreaming', 'compile', 'compileStreaming']) {
  const made = WebAssembly[name];
  WebAssembly[name] = (...parameters) => {
    window.__instances += 1;
    return made.apply(WebAssembly, parameters);
  };
}
"""
LISTENERS = "[thread.name for thread in __import__('threading').enumerate()].count('tokentoss-listener')"


@pytest.fixture
def counted(context):
    context.add_init_script(COUNT_INSTANCES)


def test_ten_widgets_share_one_instance_and_one_listener(counted, open_notebook, provider):
    """Ten widgets share one WebAssembly instance and one port, and free both (C1, C28)."""
    names = [f"widget_{number}" for number in TEN]
    notebook = open_notebook(*(cells.show_widget(provider, provider.public, name) for name in names))
    for number in TEN:
        notebook.run_cell(number)
    widgets = [Widget(notebook.page, number) for number in TEN]
    for widget in widgets:
        widget.wait_ready()
    assert notebook.page.evaluate("() => window.__instances") == 1
    assert notebook.kernel.value(LISTENERS) == 1
    everyone = f"[{', '.join(names)}]"
    ports = {
        urlsplit(uri).port
        for uri in notebook.kernel.value(f"[one.ticket['redirect_uri'] for one in {everyone}]")
    }
    assert len(ports) == 1

    with count_windows(notebook.page) as windows:
        window = widgets[6].open_popup()
        popup.sign_in(window, ADA)
        widgets[6].wait_status(f"Signed in as {ADA}")
    assert windows == [window]
    assert notebook.kernel.value(f"[one.is_authenticated for one in {everyone}].count(True)") == 1

    notebook.kernel.run(f"for one in {everyone}: one.close()")
    notebook.kernel.until(f"{LISTENERS} == 0")
