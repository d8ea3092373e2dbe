"""Settings of Sphinx for these documents; `npm run docs` builds them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# The code that the reference is made from, and the extensions beside this file.
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "docs" / "extensions")]

project = "tokentoss"
author = "tokentoss contributors"
_said = (ROOT / "python" / "tokentoss" / "_version.py").read_text(encoding="utf-8")
version = release = re.findall(r'"(.+)"', _said)[0]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "error_links", "repository_links"]
exclude_patterns = ["extensions"]
# A reference to a name of this package that is not there fails the build, as a broken link does.
nitpicky = True
# Names that the reference does not describe: those of other packages, and internal ones in signatures.
nitpick_ignore_regex = [(r"py:.*", r"(?!tokentoss\.[A-Z]\w*$).*")]

# Headings have the anchors that GitHub gives them, down to this level.
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
# "Attributes:" in a class's docstring stays there, in place of a second description.
napoleon_use_ivar = True
napoleon_use_rtype = False

# Sentences and examples keep the quotation marks that they have.
smartquotes = False

html_theme = "furo"
html_title = f"tokentoss {release}"
html_copy_source = False
html_show_sphinx = False
