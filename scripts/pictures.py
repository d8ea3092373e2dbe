"""Take the pictures of the documents: a sign-in in JupyterLab from click to data, and its end in both themes.

JupyterLab and the provider and API of `tokentoss demo` run on this machine; Chromium is driven as in the
tests. The animation and the pictures go to docs/pictures, and have to stay small.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts"), str(ROOT / "python")]

from demo_check import THEMES  # noqa: E402
from e2e import popup as provider_window  # noqa: E402
from e2e.browser import launch  # noqa: E402
from e2e.jupyterlab import JupyterLab  # noqa: E402
from e2e.notebook import Notebook  # noqa: E402
from e2e.widget import Widget  # noqa: E402
from PIL import Image, ImageDraw, ImageFilter  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402
from tokentoss import Provider  # noqa: E402
from tokentoss.demo.api import PATH, DemoApi  # noqa: E402
from tokentoss.demo.grants import CLIENT_ID  # noqa: E402
from tokentoss.demo.provider import DemoProvider  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = ROOT / "docs" / "pictures"
LOGIN = "ada@example.com"
MOST_BYTES = 400_000
SIZE = {"width": 880, "height": 560}
POPUP_SIZE = {"width": 420, "height": 460}
SHADOW = 14
# What JupyterLab shows around the notebook says nothing here.
PLAIN = """
#jp-top-panel, #jp-menu-panel, #jp-bottom-panel, .jp-SideBar, .jp-NotebookPanel-toolbar, .jp-Toolbar,
.lm-DockPanel-tabBar, #jp-left-stack, #jp-right-stack { visibility: hidden !important; }
.jp-cell-toolbar, .jp-Notebook-footer { display: none !important; }
"""


@dataclass
class Film:
    """Frames, each with the milliseconds for which it is shown."""

    frames: list[Image.Image] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)

    def show(self, frame: Image.Image, milliseconds: int) -> None:
        """Add a frame."""
        self.frames.append(frame)
        self.durations.append(milliseconds)

    def save(self, path: Path) -> None:
        """Write it, without loss: text stays sharp, and what stands still costs nothing."""
        first, *rest = self.frames
        first.save(
            path, save_all=True, append_images=rest, duration=self.durations, loop=0, lossless=True, method=6
        )


def main() -> int:
    """Take all pictures; fail if they are too large."""
    parser = argparse.ArgumentParser(prog="npm run pictures --", description=__doc__)
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder of the pictures")
    output: Path = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    with ExitStack() as running:
        issuer = running.enter_context(DemoProvider()).issuer
        api = running.enter_context(DemoApi(Provider.discover(issuer)))
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="tokentoss-pictures-")))
        lab = running.enter_context(JupyterLab(folder))
        path = lab.write_notebook("sign_in.ipynb", cells(issuer, api.base_url))
        playwright = running.enter_context(sync_playwright())
        browser = launch(playwright)
        running.callback(browser.close)
        context = browser.new_context(viewport=SIZE, device_scale_factor=1, reduced_motion="reduce")
        notebook = running.enter_context(Notebook(context, lab, path))
        take(notebook, output)
    size = sum(picture.stat().st_size for picture in output.iterdir())
    for picture in sorted(output.iterdir()):
        print(f"{picture.stat().st_size / 1000:7.1f} kB  {picture}")
    if size > MOST_BYTES:
        print(f"FAILED: {size / 1000:.0f} kB together, of at most {MOST_BYTES / 1000:.0f}")
        return 1
    return 0


def cells(issuer: str, base_url: str) -> list[str]:
    """What a reader would write."""
    discover = f'Provider.discover("{issuer}", name="Example")'
    sign_in = (
        "from tokentoss import AuthWidget, IAPClient, Provider\n\n"
        f'provider = {discover}\nwidget = AuthWidget(provider=provider, client_id="{CLIENT_ID}")\nwidget'
    )
    call = f'client = IAPClient(base_url="{base_url}", provider=provider)\nclient.get_json("{PATH}")'
    return [sign_in, call]


def take(notebook: Notebook, output: Path) -> None:
    """Sign in, call the API, and keep what is seen on the way."""
    page, film = notebook.page, Film()
    widget = Widget(page)
    page.evaluate("() => window.jupyterapp.commands.execute('application:toggle-left-area')")
    page.add_style_tag(content=PLAIN)
    notebook.set_theme(THEMES["light"])
    notebook.run_cell(0)
    widget.wait_ready()
    film.show(seen(page), 1500)

    window = widget.open_popup()
    window.set_viewport_size(POPUP_SIZE)
    choice = window.get_by_role("button", name=f"Continue as {LOGIN}")
    choice.wait_for()
    asked = Image.open(io.BytesIO(window.screenshot()))
    film.show(in_front(asked, seen(page)), 2500)
    choice.click(no_wait_after=True)
    provider_window.wait_closed(window)
    widget.wait_status(f"Signed in as {LOGIN}")
    film.show(seen(page), 1800)

    notebook.run_cell(1)
    page.get_by_text("'sample': 'B-1'").first.wait_for()
    film.show(seen(page), 4000)
    film.save(output / "sign_in.webp")
    for name, theme in THEMES.items():
        notebook.set_theme(theme)
        still = seen(page).quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        still.save(output / f"signed_in_{name}.png", optimize=True)


def seen(page: Page) -> Image.Image:
    """The cells, without focus and cursor."""
    page.mouse.move(0, 0)
    page.evaluate("() => document.activeElement?.blur()")
    box = page.locator(".jp-Notebook").bounding_box()
    assert box is not None
    return Image.open(io.BytesIO(page.screenshot(clip=box, caret="hide"))).convert("RGB")


def in_front(window: Image.Image, page: Image.Image) -> Image.Image:
    """A window over the page that opened it, with an edge and a shadow."""
    left, top = (page.width - window.width) // 2, max(12, (page.height - window.height) // 2)
    area = (left, top, left + window.width, top + window.height)
    shadow = Image.new("L", page.size, 0)
    ImageDraw.Draw(shadow).rectangle(area, fill=110)
    shadow = shadow.filter(ImageFilter.GaussianBlur(SHADOW))
    both = Image.composite(Image.new("RGB", page.size, "black"), page, shadow)
    both.paste(window.convert("RGB"), (left, top))
    ImageDraw.Draw(both).rectangle(area, outline="#9a9a9a")
    return both


if __name__ == "__main__":
    sys.exit(main())
