"""``hsched-python NAME [ARG]...``: the command NAME, started as plain Python.

What the thin client becomes where the warm process cannot do it.
"""

from __future__ import annotations

import importlib
import sys

from hsched.client.warm import COMMANDS


def main() -> None:
    """Be the program that the first word names."""
    del sys.argv[0]
    name = sys.argv[0] if sys.argv else ""
    if name not in COMMANDS:
        sys.exit(f"hsched-python: `{name}`: name one of {', '.join(COMMANDS)}")
    importlib.import_module(f"hsched.cli.{name}").main()
