"""Every state of both widgets, in every theme: readable, reachable, in its place, and as it was."""

from __future__ import annotations

import pytest

from looks.sheet import PICTURES, Look, open_sheet, themes

LOOKS = [
    *(Look(theme) for theme in themes()),
    Look("light", forced=True),
    Look("dark", forced=True),
]
WIDGETS = ("sign_in", "configure")

# One page for all tests of a sheet.
sheets = pytest.mark.parametrize(
    "sheet",
    [pytest.param((widget, look), id=f"{widget}-{look.name}") for widget in WIDGETS for look in LOOKS],
    indirect=True,
    scope="module",
)


@sheets
def test_it_is_accessible(sheet):
    found, looked = sheet.examine()
    assert found == []
    # It has looked: at each state's text, and at what can be clicked.
    assert looked["color-contrast"] > 20
    assert looked["target-size"] > 20


@sheets
def test_it_has_room(sheet):
    assert sheet.too_large() == []


@sheets
def test_it_looks_as_before(sheet, request):
    if request.config.getoption("--renew-pictures"):
        sheet.keep()
    assert sheet.differences() == []


@pytest.mark.parametrize(
    ("rules", "seen"),
    [
        # What another rasteriser, or another version of a font, may do.
        ("* { text-rendering: geometricPrecision }", False),
        (".tokentoss * { -webkit-text-stroke: 0.1px }", False),
        (".tokentoss p { letter-spacing: 0.015px }", False),
        (".tokentoss { transform: translate(0.4px, 0.4px) }", False),
        # What somebody has to look at.
        (".tokentoss-logo { visibility: hidden }", True),
        (".tokentoss-status::before { visibility: hidden }", True),
        ("[data-mark='busy'] .tokentoss-status::before { visibility: hidden }", True),
        ("[data-mark='done'] .tokentoss-status::before { visibility: hidden }", True),
        (".tokentoss-sign-in { border-color: transparent !important }", True),
        (".tokentoss { --tokentoss-error: var(--tokentoss-text) !important }", True),
        (".tokentoss { --tokentoss-success: #b3261e !important }", True),
        (".tokentoss { --tokentoss-muted: #bbb !important }", True),
        (".tokentoss-controls { margin-block-start: 6px }", True),
        (".tokentoss-qr { visibility: hidden }", True),
    ],
)
def test_what_a_comparison_sees(browser, gallery, rules, seen):
    with open_sheet(browser, gallery, "sign_in", Look("light")) as sheet:
        sheet.change(rules)
        assert bool(sheet.differences()) is seen


def test_pictures_are_small_and_all_are_used():
    names = {f"{widget}-{look.name}.png" for widget in WIDGETS for look in LOOKS}
    kept = list(PICTURES.iterdir())
    assert {picture.name for picture in kept} == names
    assert sum(picture.stat().st_size for picture in kept) < 700_000
