"""The columns of schedulers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from hsched.cli.fields.columns import Columns, Field, known
from hsched.cli.render import amounts

if TYPE_CHECKING:
    from hsched.wire.status import StatusReply


class Standing(NamedTuple):
    """How a scheduler stands; there is no ``reply`` where it does not answer."""

    name: str
    reply: StatusReply | None


def _told(get: Callable[[StatusReply], Any], show: Callable[[Any], str] = str) -> Field[Standing]:
    """Return the field of what a scheduler tells of itself."""
    return known(lambda one: None if one.reply is None else get(one.reply), show)


def _slots(which: str) -> Field[Standing]:
    def _shown(one: Standing) -> str:
        return "" if one.reply is None else amounts(one.reply.resources, which)

    sizes = _told(lambda reply: [getattr(resource, which) for resource in reply.resources])
    return Field(_shown, sizes.key)


def _jobs(which: str) -> Field[Standing]:
    return _told(lambda reply: reply.jobs.get(which, 0))


def _state(one: Standing) -> str:
    if one.reply is None:
        return "not-answering"
    return "stopping" if one.reply.stopping else "running"


def _drained(reply: StatusReply) -> str | None:
    """Return the slots that are out of use: ``cores:4,5;gpus:1``."""
    drained = {resource.name: resource.drained for resource in reply.resources if resource.drained}
    return ";".join(f"{name}:{','.join(map(str, n))}" for name, n in drained.items()) or None


COLUMNS = Columns(
    {
        "name": Field[Standing](lambda one: one.name),
        "total": _slots("total"),
        "free": _slots("free"),
        "used": _slots("used"),
        "jobs": _jobs("total"),
        "running": _jobs("running"),
        "pending": _jobs("pending"),
        "state": Field(_state),
        "drained": _told(_drained),
        "run": _told(lambda reply: reply.run),
        "pid": _told(lambda reply: reply.pid),
        "engine": _told(lambda reply: reply.engine),
        "version": _told(lambda reply: reply.version),
        "protocol": _told(lambda reply: reply.protocol),
        "folder": _told(lambda reply: reply.folder),
    },
    usual=("name", "total", "free", "used", "jobs", "running", "pending"),
    widths=(16, 12, 12, 12, 8, 8),
    remark=lambda one: "not answering" if one.reply is None else "",
)
