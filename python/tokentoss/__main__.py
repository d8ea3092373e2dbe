"""``python -m tokentoss``."""

import sys

from tokentoss.cli import main

sys.exit(main())
