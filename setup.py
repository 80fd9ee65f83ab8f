"""The parts of the build that pyproject.toml cannot say: what is compiled.

The inner loops are in C, and an extension that may be missing: without a C compiler or Python's headers the package is
built all the same, and scans take about twice as long.

With TYPOSENTINEL_COMPILE=1 mypyc compiles the engine's Python as well, and scans take a quarter less. It needs what
mypy needs to know all types, which is what `make setup` installs; images are built so (docs/adr/0023).
"""

import os
import sysconfig
from pathlib import Path

from setuptools import Extension, setup

# Free-threaded builds of Python have none yet.
HAS_STABLE_INTERFACE = not sysconfig.get_config_var("Py_GIL_DISABLED")
COMPILE = os.environ.get("TYPOSENTINEL_COMPILE") == "1"
SCAN = "server/typosentinel_server/scan"
# What every scan of an unlisted name runs through.
HOT = (
    "checks/*.py",
    "confusables.py",
    "elsewhere.py",
    "engine.py",
    "evidence.py",
    "forms.py",
    "index.py",
    "keyboard.py",
    "kin.py",
    "lexicon.py",
    "multimap.py",
    "naming.py",
    "query.py",
    "scorecard.py",
    "spelling.py",
)


def extensions() -> list[Extension]:
    """What is compiled."""
    loops = Extension(
        "typosentinel_server.scan._native",
        [f"{SCAN}/_native.c"],
        extra_compile_args=["-O3", "-std=c11", "-Wall", "-Wextra"],
        py_limited_api=True,
        optional=True,
    )
    found = [loops] if HAS_STABLE_INTERFACE else []
    if COMPILE:
        # Only there where it is asked for.
        from mypyc.build import mypycify  # noqa: PLC0415

        files = [str(file) for room in HOT for file in Path(SCAN).glob(room)]
        found += mypycify(sorted(files), opt_level="3", debug_level="0")
    return found


setup(
    ext_modules=extensions(),
    # One wheel for Python 3.11 and everything after it; what mypyc makes is for one version only.
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if HAS_STABLE_INTERFACE and not COMPILE else {},
)
