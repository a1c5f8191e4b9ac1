"""What the tests of the full-screen view share: boards with jobs of the test's making."""

from __future__ import annotations

from typing import Any

from hsched.cli.top.board import Board
from hsched.cli.top.frame import Machine, Scene, frame
from hsched.cli.top.slotmap import Glyphs
from hsched.cli.top.text import plain
from hsched.wire.jobs import Held, JobView
from hsched.wire.slots import ResourceView
from hsched.wire.status import StatusReply
from hsched.wire.subscribe import Change

NOW = 1_800_000_000.0
STARTED = "2027-01-15T07:58:00+00:00"  # two minutes before that
GIB = 1 << 30


def view(identity: str, state: str = "pending", **given: Any) -> JobView:
    """Return a job that asks for a core."""
    plain_fields: dict[str, Any] = {
        "run": "r",
        "scheduler": "default",
        "host": "here",
        "uid": 0,
        "request": {"cores": Held(amount=1), "gpus": Held(amount=0)},
        "command": ("sleep", identity),
    }
    return JobView(id=identity, state=state, **{**plain_fields, **given})


def runner(identity: str, *cores: int, gpus: tuple[int, ...] = (), **given: Any) -> JobView:
    """Return a job that runs on these slots."""
    held = {
        "cores": Held(amount=len(cores), slots=cores),
        "gpus": Held(amount=len(gpus), slots=gpus),
        "mem": Held(amount=GIB),
    }
    return view(identity, "running", allocation=held, started_at=STARTED, **given)


def change(identity: str, state: str, **given: Any) -> Change:
    return Change(number=1, id=identity, state=state, **given)


def resources(cores: int = 4, drained: tuple[int, ...] = ()) -> tuple[ResourceView, ...]:
    """Return cores, two GPUs and 8 GiB, of which two are held."""
    return (
        numbered("cores", cores, drained),
        numbered("gpus", 2),
        ResourceView(
            name="mem", numbered=False, unit=GIB, total=8 * GIB, used=2 * GIB, free=6 * GIB
        ),
    )


def numbered(name: str, total: int, drained: tuple[int, ...] = ()) -> ResourceView:
    return ResourceView(
        name=name, numbered=True, unit=1, total=total, used=0, free=total, drained=drained
    )


def board(*jobs: JobView, **status: Any) -> Board:
    """Return a board that knows these jobs."""
    found = Board("default")
    known: dict[str, Any] = {
        "name": "default",
        "run": "r",
        "folder": "/",
        "pid": 1,
        "version": "0",
        "protocol": 1,
        "resources": resources(),
        "jobs": {"running": 1, "pending": len(jobs)},
    }
    found.status = StatusReply(**{**known, **status})
    for job in jobs:
        found.learn(job)
    return found


def scene(known: Board, **given: Any) -> Scene:
    """Return a scene without figures."""
    return Scene(known, {}, Machine(50.0, 4, 3 * GIB, 8 * GIB), NOW, Glyphs())._replace(**given)


def shown(known: Scene, width: int = 80, height: int = 24) -> list[str]:
    """Return the lines of the screen, without styles."""
    return [plain(line).rstrip() for line in frame(known, width, height)]
