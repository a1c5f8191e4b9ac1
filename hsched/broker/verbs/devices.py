"""Answers ``devices``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsched.broker.devices.mapping import Slot
from hsched.broker.endpoint import Peer
from hsched.broker.verbs.verb import Verb
from hsched.core.model import format_job_id
from hsched.wire.devices import DeviceSlot, DevicesReply, DevicesRequest

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def _devices(broker: Broker, _request: DevicesRequest, _peer: Peer, _key: str) -> DevicesReply:
    roots = {}
    for job in broker.scheduler.holders():
        pid = broker.devices.root(job.id)
        if pid is not None:
            roots[str(pid)] = format_job_id(job.id)
    slots = enumerate(broker.devices.mapping.slots)
    return DevicesReply(
        slots=tuple(_slot(broker, number, slot) for number, slot in slots),
        roots=roots,
        warning=broker.run.options.get("device_warning", ""),
        trouble=broker.devices.trouble,
    )


def _slot(broker: Broker, number: int, slot: Slot) -> DeviceSlot:
    position = broker.devices.mapping.position
    assert position is not None, "slots are those of a resource"
    jobs = []
    is_whole, claimed = False, 0
    for job in broker.scheduler.holders():
        if (held := job.allocation) is None:
            continue
        if number in held.slots[position] or number in held.devices:
            jobs.append(format_job_id(job.id))
            is_whole = is_whole or not held.devices
            claimed += held.memory
    return DeviceSlot(
        slot=number,
        uuid=slot.uuid,
        name=slot.name,
        memory=slot.memory,
        claimed=claimed,
        whole=is_whole,
        jobs=tuple(jobs),
        drained=number in broker.scheduler.drained[position],
    )


VERB = Verb(DevicesRequest, _devices)
