"""What the listing commands can show of each row, by kind of row; imported when one is chosen."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hsched.cli.fields.columns import Columns


def columns_of(rows: str) -> Columns[Any]:
    """Return the columns of ``jobs``, ``schedulers`` or ``gpus``."""
    found: Columns[Any] = importlib.import_module(f"hsched.cli.fields.{rows}").COLUMNS
    return found
