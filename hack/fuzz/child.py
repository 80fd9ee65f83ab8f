"""One target under libFuzzer, in a process of its own: `python -m hack.fuzz.child MODULE FOLDER [OPTION]...`."""

import importlib
import sys
from pathlib import Path

import atheris


def main() -> None:
    """Never returns: libFuzzer ends the process, with 0 where nothing was found."""
    module, folder, *options = sys.argv[1:]
    with atheris.instrument_imports(include=["typosentinel_server"]):
        target = importlib.import_module(module)
    atheris.Setup([sys.argv[0], *options], target.make(Path(folder)))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
