"""The console script: says what to install where the scanner alone was installed."""

import sys


def main() -> None:
    """Run the operator's command line."""
    try:
        from typosentinel_operator.__main__ import main as command_line  # noqa: PLC0415 - may not be installed
    except ModuleNotFoundError as error:
        sys.exit(
            f"typosentinel-operator: {error.name} is missing; install it with: pip install 'typosentinel[operator]'"
        )
    command_line()
