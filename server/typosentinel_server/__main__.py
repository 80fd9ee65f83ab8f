"""Where the program meets the world: the real clocks are bound here and nowhere else."""

import io
import sys
import time

from typosentinel_server.cli import program
from typosentinel_server.clock import Clock


def main() -> None:
    """Runs the command line and ends the process."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a letter gets its number, not a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    clock = Clock(wall=time.time, monotonic=time.monotonic)  # noqa: TID251 - this is the composition root
    program(prog_name="typosentinel", obj=clock)


if __name__ == "__main__":
    main()
