"""Lets the tests of `hack/` import it as a package from the checkout's root, which is not installed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
