"""The built front end that widgets carry, or a sentence in its place where it was not built."""

from __future__ import annotations

from pathlib import Path

_STATIC = Path(__file__).parent.parent / "static"

_NOT_BUILT = """
export default {
  render({ el }) {
    el.textContent = "The front end of tokentoss is not built: run `npm run build` in its repository, "
      + "then restart the kernel and run the cell again.";
  },
};
"""


def front_end(name: str) -> str:
    """Return a file of a widget's front end, such as ``auth.js`` or ``auth.css``.

    Its text rather than its path: anywidget keeps every widget whose files it watches.
    """
    path = _STATIC / name
    if path.is_file():
        return path.read_text(encoding="utf-8")
    return _NOT_BUILT if name.endswith(".js") else ""
