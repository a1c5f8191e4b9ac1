"""The terminal that a person sits at: its size and its colours.

It imports rich, so that only those import it who have asked
:func:`hsched.cli.common.for_people` first.
"""

from __future__ import annotations

import os

from rich.console import Console

from hsched.cli.common import colour_is_forced


def console() -> Console:
    """Return stdout as rich writes to it; NO_COLOR, CLICOLOR=0, COLUMNS and LINES are honoured."""
    if colour_is_forced():
        return Console(force_terminal=True, color_system="standard")
    pale = bool(os.environ.get("NO_COLOR")) or os.environ.get("CLICOLOR") == "0"
    return Console(no_color=pale, highlight=False)
