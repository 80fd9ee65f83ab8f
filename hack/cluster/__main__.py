"""Entry point of ``python3 hack/cluster``.

Run as a folder, Python puts *this* folder on the import path; the checkout's root is put there instead, so that the
modules are imported by the same names here, in the tests and by the type checker.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])

from hack.cluster.commandline import main  # noqa: E402 - the path has to be right first

sys.exit(main(sys.argv[1:]))
