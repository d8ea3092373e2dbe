"""A cell that is run repeatedly in a real kernel: its old objects are freed, unless they are used."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kernel.cell_runner import CellRunner

WIDGET = "AuthWidget(provider=GOOGLE, client_id='c', client_secret='s', storage=MemoryStorage())"
SETUP = f"""
import gc, threading, weakref
import comm
from ipywidgets import Layout, VBox
from ipywidgets.widgets.widget import _instances
from tokentoss import AuthWidget, ConfigureWidget, MemoryStorage
from tokentoss.oauth.provider import GOOGLE

refs = []

def made():
    widget = {WIDGET}
    refs.append(weakref.ref(widget))
    return widget

def alive():
    return sum(one() is not None for one in refs)

def threads():
    return [one.name for one in threading.enumerate() if one.name.startswith('tokentoss')]

def held():
    gc.collect()
    kinds = [type(one) for one in gc.get_objects()]
    named = [one.__name__ for one in kinds if str(getattr(one, '__module__', '')).startswith('tokentoss')]
    classes = sum(isinstance(one, type) and 'Widget' in one.__name__ for one in gc.get_objects())
    return [len(_instances), len(comm.get_comm_manager().comms), len(threads()), classes,
            *[named.count(name) for name in ('AuthWidget', 'SignInByCode', 'AuthManager', 'ConfigureWidget')]]
"""


@pytest.fixture
def kernel() -> Iterator[CellRunner]:
    with CellRunner() as kernel:
        kernel.run(SETUP)
        # Nothing below may depend on when the collector happens to run.
        kernel.run("gc.disable()")
        yield kernel


def show(name: str) -> str:
    return f"{name} = made()\ndisplay({name})"


IDIOMS = {
    "displayed": "display(made())",
    "named": show("widget"),
    "result": "made()",
    "named result": "widget = made()\nwidget",
    "form": "display(ConfigureWidget())",
}


@pytest.mark.parametrize("code", IDIOMS.values(), ids=IDIOMS.keys())
def test_a_hundred_runs_hold_no_more_than_a_few(kernel: CellRunner, code: str) -> None:
    # Ten, because the listener keeps the latest hand-offs for the late questions of their popups.
    for _ in range(10):
        kernel.run(code, "cell")
    before = kernel.value("held()")
    opened = kernel.count("comm_open") - kernel.count("comm_close")
    for _ in range(90):
        kernel.run(code, "cell")
    assert kernel.value("held()") == before
    assert kernel.count("comm_open") - kernel.count("comm_close") == opened == 2
    assert kernel.value("alive()") == (0 if code == IDIOMS["form"] else 1)


def test_the_page_hears_of_the_end_in_the_run_that_causes_it(kernel: CellRunner) -> None:
    kernel.run(show("widget"), "cell")
    model = kernel.value("widget.model_id")
    kernel.run(show("widget"), "cell")
    closed = [one["content"]["comm_id"] for one in kernel.messages if one["msg_type"] == "comm_close"]
    assert model in closed
    assert kernel.value("refs[0]() is None")


def test_several_of_one_run_all_live(kernel: CellRunner) -> None:
    code = "display(made(), made())\nfor _ in range(3):\n    display(made())"
    kernel.run(code, "cell")
    assert kernel.value("alive()") == 5
    kernel.run(code, "cell")
    assert kernel.value("[one() is not None for one in refs]") == [False] * 5 + [True] * 5


def test_what_the_code_holds_lives_and_works(kernel: CellRunner) -> None:
    kernel.run("kept = []")
    for _ in range(3):
        kernel.run("kept.append(made())\ndisplay(kept[-1])", "cell")
    assert kernel.value("alive()") == 3
    first = kernel.value("kept[0].model_id")
    kernel.send_to_widget(first, {"type": "ping", "id": 7})
    pongs = [one for one in kernel.messages if one["content"].get("comm_id") == first]
    assert pongs[-1]["content"]["data"]["content"] == {"type": "pong", "id": 7}
    # A page that is loaded again asks for all of them.
    assert kernel.value("[one.model_id in _instances for one in kept]") == [True] * 3
    assert kernel.value("[one.get_state()['ticket']['id'] != '' for one in kept]") == [True] * 3
    assert (
        kernel.value(
            "sum(one['model_name'] == 'AnyModel' for one in AuthWidget.get_manager_state()['state'].values())"
        )
        == 3
    )
    assert kernel.value("len({one.ticket['redirect_uri'] for one in kept})") == 1
    kernel.run("kept.clear()")
    assert kernel.value("alive()") == 1
    assert kernel.value("len(_instances)") == 2


def test_a_widget_of_another_cell_that_shows_it_stays(kernel: CellRunner) -> None:
    kernel.run("widget = made()", "maker")
    kernel.run("display(widget)", "shower")
    kernel.run("widget = made()", "maker")
    assert kernel.value("alive()") == 2, "the other cell's output still shows the first"
    kernel.run("display(widget)", "shower")
    assert kernel.value("alive()") == 1
    kernel.run("display(widget)", "shower")
    assert kernel.value("alive()") == 1


def test_a_widget_that_is_shown_again_is_kept_again(kernel: CellRunner) -> None:
    kernel.run(show("widget"), "maker")
    kernel.run("first = widget")
    kernel.run(show("widget"), "maker")
    kernel.run("display(first)\ndel first", "shower")
    assert kernel.value("alive()") == 2
    kernel.run("pass", "shower")
    assert kernel.value("refs[0]().ticket != {}")


def test_a_container_keeps_its_children(kernel: CellRunner) -> None:
    kernel.run("box = VBox([made()])\ndisplay(box)", "cell")
    kernel.run("display(made())", "cell")
    assert kernel.value("alive()") == 2
    assert kernel.value("box.children[0].ticket != {}")


def test_another_page_has_outputs_of_its_own(kernel: CellRunner) -> None:
    kernel.run("display(made())", "cell")
    kernel.run("display(made())", "cell", session="another page")
    assert kernel.value("alive()") == 2
    kernel.run("display(made())", "cell", session="another page")
    assert kernel.value("[one() is not None for one in refs]") == [True, False, True]


def test_other_cells_and_hosts_without_cells_are_left_alone(kernel: CellRunner) -> None:
    kernel.run("display(made())", "one")
    kernel.run("display(made())", "another")
    for _ in range(3):
        kernel.run("display(made())")
    kernel.run("display(made())", "another")
    assert kernel.value("[one() is not None for one in refs]") == [True, False, True, True, True, True]


def test_a_layout_of_the_users_own_stays(kernel: CellRunner) -> None:
    kernel.run("layout = Layout(width='50%')")
    code = f"display({WIDGET[:-1]}, layout=layout))"
    kernel.run(code, "cell")
    kernel.run(code, "cell")
    assert kernel.value("type(_instances[layout.model_id]).__name__") == "Layout"
    assert kernel.value("layout.comm is not None")


def test_the_port_goes_with_the_last_widget(kernel: CellRunner) -> None:
    kernel.run("display(made())", "cell")
    assert kernel.value("threads()") == ["tokentoss-listener"]
    kernel.run("display(ConfigureWidget())", "cell")
    assert kernel.value("alive()") == 0
    kernel.run(
        "for one in threading.enumerate():\n    if one.name == 'tokentoss-listener':\n        one.join(20)"
    )
    assert kernel.value("threads()") == []


def test_a_sign_in_that_is_under_way_ends_with_its_button(kernel: CellRunner) -> None:
    kernel.run(show("widget"), "cell")
    kernel.run("hand_off = widget._attempt.hand_off\nassert not hand_off.done.is_set()")
    kernel.run(show("widget"), "cell")
    assert kernel.value("hand_off.done.is_set()")
    assert kernel.value("hand_off.deliver('AAAA')") == "ticket_unknown"


def test_a_widget_in_a_cycle_is_collected_wherever_that_happens(kernel: CellRunner) -> None:
    kernel.run(
        "class App:\n"
        "    def __init__(self):\n"
        "        self.widget = made()\n"
        "        self.widget.observe(self.changed)\n"
        "    def changed(self, change):\n"
        "        pass\n"
    )
    for _ in range(3):
        kernel.run("display(App().widget)", "cell")
    assert kernel.value("alive()") == 3
    # While every lock that closing takes is held by the thread in which it happens.
    kernel.run(
        "from tokentoss.callback import lease\n"
        "bound, = lease._listeners.values()\n"
        "other = refs[0]()\n"
        "hand_off, by_code = other._attempt.hand_off, other._by_code\n"
        "del other\n"
        "with lease._listeners_lock, bound._lock, hand_off._lock, by_code._lock:\n"
        "    gc.collect()\n"
    )
    assert kernel.value("alive()") == 1
