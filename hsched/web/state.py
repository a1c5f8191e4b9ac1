"""What the page draws, as plain data for JSON.  Pure, but for the name of this host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hsched import paths
from hsched.cli.render import printable
from hsched.cli.top.board import Board, Row
from hsched.wire.devices import DevicesReply
from hsched.wire.jobs import Held
from hsched.wire.slots import ResourceView

#: So many jobs are listed; of the others the page tells the number.
MOST_ROWS = 300


def state_of(
    board: Board, devices: DevicesReply | None, brief: Mapping[str, Row]
) -> dict[str, Any]:
    """Return how a scheduler stands; the jobs in it become those that ``board`` sees.

    ``brief`` are jobs that had ended before the board learnt what they were.
    """
    rows, status = board.rows, board.status
    shown = rows[:MOST_ROWS]
    board.visible = tuple(row.id for row in shown)
    return {
        "scheduler": board.name,
        "host": paths.host(),
        "trouble": board.trouble,
        "counts": {} if status is None else status.jobs,
        "stopping": status is not None and status.stopping,
        "resources": [] if status is None else list(map(_resource, status.resources)),
        "devices": _devices_plain(devices),
        "jobs": [_job(brief.get(row.id, row)) for row in shown],
        "holders": _holders(board.running()),
        "more": len(rows) - len(shown),
    }


def _resource(one: ResourceView) -> dict[str, Any]:
    return {
        "name": one.name,
        "numbered": one.numbered,
        "unit": one.unit,
        "total": one.total,
        "used": one.used,
        "drained": list(one.drained),
    }


def _devices_plain(reply: DevicesReply | None) -> list[dict[str, Any]]:
    return [
        {
            "slot": one.slot,
            "name": one.name,
            "memory": one.memory,
            "claimed": one.memory if one.whole else one.claimed,
            "jobs": list(one.jobs),
            "drained": one.drained,
        }
        for one in (() if reply is None else reply.slots)
    ]


def _job(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state,
        "word": row.word or row.state,
        "name": row.name,
        "command": row.command,
        "slots": row.slots,
        "started": row.started,
        "reason": printable(row.reason),
    }


def _holders(rows: Iterable[Row]) -> dict[str, dict[str, list[str]]]:
    """Return, by resource and slot, the jobs that are on it."""
    found: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        for name, held in row.held.items():
            for slot in _slots(name, held, row):
                found.setdefault(name, {}).setdefault(str(slot), []).append(row.id)
    return found


def _slots(name: str, held: Held, row: Row) -> tuple[int, ...]:
    return held.slots or (row.devices if name == "gpus" else ())
