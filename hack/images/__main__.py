"""Entry point of ``python3 hack/images``; see hack/cluster/__main__.py for why the import path is changed."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])

from hack.images.commandline import main  # noqa: E402 - the path has to be right first

sys.exit(main(sys.argv[1:]))
