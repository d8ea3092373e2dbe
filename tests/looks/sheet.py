"""The gallery's page of one widget in one theme, and what is asked of it."""

from __future__ import annotations

import base64
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import marimo
from e2e.browser import local_context

from looks import png

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, Route

HOST = "http://127.0.0.1:9/"
ROOT = Path(__file__).resolve().parents[2]
PICTURES = Path(__file__).parent / "pictures"
COMPARE = Path(__file__).parent / "compare.js"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
# Of a package that is pinned: the fonts of the machine are not the same everywhere.
FONTS = Path(marimo.__file__).parent / "_static" / "assets"
FACES = {"Roboto": "PTSans-Regular", "DejaVu Sans Mono": "FiraMono-Regular"}
NOON = 1_800_000_000

SLOTS = """() => [...document.querySelectorAll('section')].map((slot) => {
  const { x, y, width, height } = slot.getBoundingClientRect();
  return { title: slot.dataset.title, x: x + scrollX, y: y + scrollY, width, height };
})"""

# The widget in its place, and everything in it that reaches beyond.
TOO_LARGE = """() => [...document.querySelectorAll('section')].flatMap((slot) => {
  const widget = (slot.shadowRoot ?? slot).querySelector('.tokentoss');
  const place = slot.getBoundingClientRect();
  const beyond = [widget, ...widget.querySelectorAll('*:not(.tokentoss-heard)')].filter((one) => {
    const { left, right, bottom, width } = one.getBoundingClientRect();
    return width && (left < place.left - 0.5 || right > place.right + 0.5 || bottom > place.bottom + 0.5);
  });
  const scrolls = widget.scrollWidth > widget.clientWidth ? [widget] : [];
  return [...beyond, ...scrolls].map((one) => `${slot.dataset.title}: ${one.className || one.localName}`);
})"""

VIOLATIONS = """async () => {
  const values = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const rules = { 'target-size': { enabled: true } };
  const { violations, passes } = await axe.run('main', { runOnly: { type: 'tag', values }, rules });
  const slots = [...document.querySelectorAll('section')];
  const titleOf = (target) => {
    const found = document.querySelector([target].flat(2)[0]);
    return found?.closest('section')?.dataset.title ?? '';
  };
  return {
    found: violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} in ${titleOf(target)}: ${target} ${failureSummary}`)),
    looked: Object.fromEntries(passes.map(({ id, nodes }) => [id, nodes.length])),
  };
}"""


@dataclass(frozen=True)
class Look:
    """A theme of the gallery, and what the browser adds to it."""

    theme: str
    forced: bool = False

    @property
    def name(self) -> str:
        """What it is called in names of tests and files."""
        return f"forced-{self.theme}" if self.forced else self.theme

    @property
    def preference(self) -> str:
        """What the system prefers: the contrary, because it is the host's theme that counts."""
        is_dark = self.theme.endswith("dark")
        return "dark" if is_dark is self.forced else "light"


def themes() -> list[str]:
    """The names of the gallery's themes."""
    source = (ROOT / "widget-esm" / "gallery" / "themes.ts").read_text()
    declared = source[source.index("themes: Record") :]
    return re.findall(r"""^  "?([\w-]+)"?(?:,|: \{)""", declared, re.MULTILINE)


class Sheet:
    """One widget in one look, every state side by side."""

    def __init__(self, page: Page, widget: str, look: Look) -> None:
        self.page = page
        self.picture = PICTURES / f"{widget}-{look.name}.png"

    def too_large(self) -> list[str]:
        """What reaches beyond its place."""
        found: list[str] = self.page.evaluate(TOO_LARGE)
        return found

    def examine(self) -> tuple[list[str], dict[str, int]]:
        """What axe finds, and how many elements passed each of its rules."""
        self.page.add_script_tag(path=AXE)
        answer = self.page.evaluate(VIOLATIONS)
        return answer["found"], answer["looked"]

    def differences(self) -> list[str]:
        """How it differs from the picture that is kept."""
        slots = self.page.evaluate(SLOTS)
        kept = as_url(self.picture.read_bytes())
        found: list[str] = self._in_page("differences", kept, self._screenshot(), slots)
        return found

    def keep(self) -> None:
        """Keep a picture of it as it is now."""
        seen = self._in_page("kept", self._screenshot())
        self.picture.parent.mkdir(exist_ok=True)
        self.picture.write_bytes(png.write(seen["width"], seen["height"], base64.b64decode(seen["pixels"])))

    def _screenshot(self) -> str:
        return as_url(self.page.screenshot(full_page=True, animations="disabled", caret="hide"))

    @contextmanager
    def changed(self, rules: str) -> Iterator[None]:
        """Add style rules to the page while the block runs."""
        added = self.page.add_style_tag(content=rules)
        yield
        added.evaluate("element => element.remove()")

    def _in_page(self, function: str, *arguments: Any) -> Any:
        if self.page.evaluate("() => typeof looks") == "undefined":
            self.page.add_script_tag(path=COMPARE)
        return self.page.evaluate(f"given => looks.{function}(...given)", list(arguments))


def as_url(picture: bytes) -> str:
    """A picture as an address."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def font_faces() -> str:
    """Style rules that bring the fonts along, and make the widgets use them."""
    rules = [
        f'@font-face {{ font-family: "{family}"; src: url(/{file}.woff2); }}'
        for family, file in FACES.items()
    ]
    uses = ":root { --jp-ui-font-family: Roboto; --jp-code-font-family: 'DejaVu Sans Mono' }"
    return "\n".join([*rules, uses])


@contextmanager
def open_sheet(browser: Browser, gallery: Path, widget: str, look: Look) -> Iterator[Sheet]:
    """Yield the page of a widget in a look."""

    def answer(route: Route) -> None:
        name = route.request.url.removeprefix(HOST).partition("?")[0] or "index.html"
        if name.endswith(".woff2"):
            (font,) = FONTS.glob(f"{name.removesuffix('.woff2')}-*.woff2")
            route.fulfill(path=font, content_type="font/woff2")
            return
        text = (gallery / name).read_text()
        if name == "index.html":
            text = text.replace("</style>", f"{font_faces()}</style>")
        route.fulfill(body=text, content_type=KINDS[Path(name).suffix])

    options = {
        "reduced_motion": "reduce",
        "forced_colors": "active" if look.forced else "none",
        "color_scheme": look.preference,
    }
    with local_context(browser, **options) as context:
        page = context.new_page()
        page.set_viewport_size({"width": 1700, "height": 900})
        page.clock.set_fixed_time(NOON * 1000)
        page.route(f"{HOST}**", answer)
        page.goto(f"{HOST}?widget={widget}&theme={look.theme}")
        page.evaluate("() => document.fonts.ready")
        yield Sheet(page, widget, look)
