"""Every state of every widget, in every theme: readable, reachable, in its place, and as it was."""

from __future__ import annotations

import pytest

from looks.sheet import PICTURES, Look, themes

LOOKS = [
    *(Look(theme) for theme in themes()),
    Look("light", forced=True),
    Look("dark", forced=True),
]
WIDGETS = ("sign_in", "configure", "status")

CROWDED = """
.tokentoss .tokentoss-controls { gap: 0 }
.tokentoss .tokentoss-controls > * { max-inline-size: 10px; overflow: hidden; white-space: nowrap }
"""

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
    "sheet",
    [pytest.param((widget, Look("light")), id=f"{widget}-light") for widget in WIDGETS],
    indirect=True,
    scope="module",
)
def test_twice_as_large_it_is_whole_and_accessible(sheet):
    """At 200 % zoom, nothing overflows and axe finds no violation (WCAG 1.4.4)."""
    with sheet.changed("section { block-size: auto !important } .tokentoss { zoom: 2 }"):
        assert sheet.too_large() == []
        found, looked = sheet.examine()
    assert found == []
    assert looked["color-contrast"] > 20


light = pytest.mark.parametrize(
    "sheet", [pytest.param(("sign_in", Look("light")), id="sign_in-light")], indirect=True, scope="module"
)


@light
@pytest.mark.parametrize(
    "rules",
    [
        "* { text-rendering: geometricPrecision }",
        ".tokentoss * { -webkit-text-stroke: 0.1px }",
        ".tokentoss p { letter-spacing: 0.015px }",
        ".tokentoss { transform: translate(0.4px, 0.4px) }",
    ],
)
def test_what_another_rasteriser_may_do_is_not_seen(sheet, rules):
    with sheet.changed(rules):
        assert sheet.differences() == []


@light
@pytest.mark.parametrize(
    "rules",
    [
        ".tokentoss-logo { visibility: hidden }",
        "[data-mark='busy'] .tokentoss-status::before { visibility: hidden }",
        "[data-mark='done'] .tokentoss-status::before { visibility: hidden }",
        ".tokentoss-sign-in { border-color: transparent !important }",
        ".tokentoss { --tokentoss-error: var(--tokentoss-text) !important }",
        ".tokentoss { --tokentoss-success: #b3261e !important }",
        ".tokentoss { --tokentoss-accent: var(--tokentoss-text) !important }",
        ".tokentoss-controls { margin-block-start: 6px }",
        ".tokentoss-qr { visibility: hidden }",
    ],
)
def test_what_somebody_has_to_look_at_is_seen(sheet, rules):
    with sheet.changed(rules):
        assert sheet.differences() != []


@light
@pytest.mark.parametrize(
    ("rules", "broken"),
    [
        (".tokentoss { --tokentoss-muted: #bbb !important }", "color-contrast"),
        (CROWDED, "target-size"),
    ],
)
def test_what_is_not_accessible_is_seen(sheet, rules, broken):
    with sheet.changed(rules):
        found, _ = sheet.examine()
    assert {violation.partition(" ")[0] for violation in found} == {broken}


@light
def test_what_has_no_room_is_seen(sheet):
    with sheet.changed(".tokentoss-sign-in { min-inline-size: 500px; max-inline-size: none !important }"):
        assert sheet.too_large() != []


def test_pictures_are_small_and_all_are_used():
    names = {f"{widget}-{look.name}.png" for widget in WIDGETS for look in LOOKS}
    kept = list(PICTURES.iterdir())
    assert {picture.name for picture in kept} == names
    assert sum(picture.stat().st_size for picture in kept) < 700_000
