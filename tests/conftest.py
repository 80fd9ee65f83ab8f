"""Puts the checkout's root on the path, ahead of `tests`, so that `hack` and `tests` mean the folders of that name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
