"""Kernel and page hold only the last widget of a cell that is run repeatedly."""

from __future__ import annotations

import pytest

from e2e import cells, popup
from e2e.configure_form import ConfigureForm
from e2e.kernel_versions import VERSIONS, kernel_name
from e2e.page_memory import PageMemory
from e2e.waiting import until
from e2e.widget import Widget

ADA = "ada@example.com"
# What a page or kernel makes once, and the few sign-ins that the listener remembers, are there by then.
WARM_UP = 10
RERUNS = 100
# What any widget leaves grows evenly, so that fewer runs tell it.
PLAIN_RUNS = 50
# The code of a widget is 95 kB, and the host's own share differs by some kB from one measurement to the next.
MORE_THAN_ANY_WIDGET = 8000
ANY_WIDGET = """import anywidget
from IPython.display import display

class Plain(anywidget.AnyWidget):
    _esm = "export default { render({ el }) { el.innerHTML = '<p class=plain>Plain</p>'; } }"

if "plain" in globals():
    plain.close()
plain = Plain()
display(plain)"""

HELD = """(lambda gc, widgets, comm, threads: gc.collect() * 0 or [
    len(widgets._instances),
    len(comm.get_comm_manager().comms),
    [one.name for one in threads.enumerate() if one.name.startswith('tokentoss')],
    sorted(type(one).__name__ for one in gc.get_objects()
           if str(getattr(type(one), '__module__', '')).startswith('tokentoss.')),
])(*[__import__('importlib').import_module(name)
     for name in ('gc', 'ipywidgets.widgets.widget', 'comm', 'threading')])"""


def in_page(memory: PageMemory) -> dict[str, int]:
    return {
        "models": memory.models(),
        "copies of the code": memory.copies_of_the_code(),
        "views": memory.views(),
        "sign-ins": memory.sign_ins(),
        "message listeners": memory.message_listeners(),
        "WebAssembly": memory.wasm_bytes(),
    }


def left_by_any_widget(open_notebook) -> int:
    """Bytes that JupyterLab leaves in the page of so many runs, each of which closes the widget before."""
    notebook = open_notebook(ANY_WIDGET)
    memory = PageMemory(notebook.page)

    def run(times: int) -> None:
        for _ in range(times):
            notebook.run_cell(0)
            notebook.page.locator(".plain").wait_for()

    run(WARM_UP)
    used = memory.used_bytes()
    run(PLAIN_RUNS)
    left = memory.used_bytes() - used
    notebook.page.close()
    return left * RERUNS // PLAIN_RUNS


def test_a_hundred_runs_leave_one_widget(open_notebook, provider):
    """A hundred runs of a cell leave one widget in the kernel and in the page."""
    limit = left_by_any_widget(open_notebook) + RERUNS * MORE_THAN_ANY_WIDGET
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    widget, memory = Widget(notebook.page), PageMemory(notebook.page)

    def run(times: int) -> None:
        for _ in range(times):
            notebook.run_cell(0)
            widget.wait_ready()

    run(WARM_UP)
    kernel, page = notebook.kernel.value(HELD), in_page(memory)
    used = memory.used_bytes()
    assert page["models"] == 2, "the widget's and its layout's"
    assert page["copies of the code"] == page["views"] == page["sign-ins"] == 1
    run(RERUNS)
    assert notebook.kernel.value(HELD) == kernel
    assert in_page(memory) == page
    # The host holds a widget until a time limit on its start has passed, however long it took.
    until(lambda: memory.used_bytes() - used < limit, "no more memory used than by any widget")

    widget.sign_in(ADA)
    assert notebook.kernel.value("widget.is_authenticated")


@pytest.mark.parametrize("version", VERSIONS[:-1])
def test_other_kernels_let_go_too(version, open_notebook, provider):
    notebook = open_notebook(cells.show_widget(provider, provider.public), kernel=kernel_name(version))
    widget = Widget(notebook.page)
    for _ in range(WARM_UP):
        notebook.run_cell(0)
        widget.wait_ready()
    memory = PageMemory(notebook.page)
    until(lambda: memory.models() == 2, "the models of one widget")
    widget.sign_in(ADA)


def test_the_form_is_let_go_too(open_notebook):
    notebook = open_notebook("import tokentoss\ndisplay(tokentoss.ConfigureWidget())")
    form, memory = ConfigureForm(notebook.page), PageMemory(notebook.page)
    for _ in range(WARM_UP):
        notebook.run_cell(0)
        form.wait_ready()
    assert (memory.models(), memory.copies_of_the_code()) == (2, 1)


def test_a_sign_in_under_way_ends_with_its_button(open_notebook, provider):
    """A re-run closes the old widget's popup, and the new button works."""
    notebook = open_notebook(cells.show_widget(provider, provider.public))
    notebook.run_cell(0)
    widget, memory = Widget(notebook.page), PageMemory(notebook.page)
    window = widget.open_popup()
    popup.answer_login(window, ADA)
    assert memory.message_listeners() == 1
    notebook.page.bring_to_front()
    notebook.run_cell(0)
    popup.wait_closed(window)
    widget.wait_ready()
    assert (memory.message_listeners(), memory.sign_ins(), memory.models()) == (0, 1, 2)
    assert not provider.exchanges()
    widget.sign_in(ADA)
    assert notebook.kernel.value("widget.is_authenticated")


def test_what_the_code_holds_survives_a_run_and_a_reload(open_notebook, provider):
    kept = f"{cells.make_widget(provider, provider.public)}\nkept = [*globals().get('kept', []), widget]"
    notebook = open_notebook(f"{kept}\ndisplay(widget)", "import ipywidgets\nipywidgets.VBox(kept)")
    notebook.run_cell(0)
    notebook.run_cell(0)
    notebook.run_cell(1)
    notebook.save()
    notebook.reload()
    for view in range(3):
        Widget(notebook.page, view).wait_ready()
    Widget(notebook.page, 1).sign_in(ADA)
    assert notebook.kernel.value("[one.is_authenticated for one in kept]") == [True, False]
