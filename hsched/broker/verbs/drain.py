"""Answers ``drain``: takes numbered slots out of use, or puts them back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hsched.broker.endpoint import Peer
from hsched.broker.verbs.slots import resource_views
from hsched.broker.verbs.verb import Verb
from hsched.core.events import SlotsDrained
from hsched.core.model import Resource
from hsched.errors import WrongUsage
from hsched.wire.drain import DrainRequest
from hsched.wire.slots import SlotsReply

if TYPE_CHECKING:
    from hsched.broker.broker import Broker

_SLOTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")


def _drain(broker: Broker, request: DrainRequest, _peer: Peer, _key: str) -> SlotsReply:
    broker.engine.refuse("hnslots drain")
    resources = broker.scheduler.resources
    asked = parse_slots(request.words, resources)
    drained: dict[str, list[int]] = dict(broker.run.options.get("drained", {}))
    for position, slots in asked.items():
        name, before = resources[position].name, set(drained.get(resources[position].name, ()))
        drained[name] = sorted(before - slots if request.back else before | slots)
    for position, slots in asked.items():
        broker.apply(SlotsDrained(position, tuple(sorted(slots)), request.back))
    broker.change_run(replace(broker.run, options={**broker.run.options, "drained": drained}))
    broker.announcer.note_slots()
    return SlotsReply(resources=resource_views(broker))


def parse_slots(words: Iterable[str], resources: Sequence[Resource]) -> dict[int, set[int]]:
    """Return the slots that ``gpus:1`` and ``cores:4-7,9`` name, by position of the resource.

    Raises:
        WrongUsage: a word names none, or none that there is.
    """
    positions = {resource.name: i for i, resource in enumerate(resources)}
    found: dict[int, set[int]] = {}
    for word in words:
        name, _, listed = word.partition(":")
        if name not in positions:
            raise WrongUsage(f"`{word}`: there is no resource `{name}`; write such as gpus:1")
        resource = resources[positions[name]]
        if not resource.numbered:
            raise WrongUsage(f"`{word}`: {name} is an amount and has no slots")
        slots = found.setdefault(positions[name], set())
        for part in listed.split(","):
            slots.update(_span(word, part, resource))
    return found


def _span(word: str, part: str, resource: Resource) -> range:
    numbers = _SLOTS.fullmatch(part)
    if numbers is None:
        raise WrongUsage(f"`{word}`: `{part}` is no slot number; write such as {resource.name}:1")
    first, last = int(numbers[1]), int(numbers[2] or numbers[1])
    if not first <= last < resource.capacity:
        raise WrongUsage(f"`{word}`: {resource.name} has the slots 0 to {resource.capacity - 1}")
    return range(first, last + 1)


VERB = Verb(DrainRequest, _drain, changes=True)
