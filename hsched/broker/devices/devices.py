"""The GPUs of a scheduler: a job with GPUs starts once NVML has been asked about them.

The core decides on what it knows of outsiders, which may be old.  So the decision is
committed, NVML is asked, and only then the job is started; or it goes back into the
queue, and the core knows better.  While somebody waits for what outsiders use, NVML is
asked again from time to time; while a job with GPUs runs, what it uses is sampled; and
otherwise nothing here wakes the broker.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from hsched.broker import clock
from hsched.broker.devices.asker import Asker
from hsched.broker.devices.mapping import Mapping, with_gone
from hsched.broker.devices.outsiders import Outsiders, seen
from hsched.broker.devices.placement import Placement
from hsched.broker.devices.usage import SAMPLE_S, DeviceUse, Usage, by_slot
from hsched.core.effects import StartJob
from hsched.core.events import DevicesSeen, NotStarted, SlotsDrained
from hsched.core.job import Job
from hsched.core.model import Allocation, JobId, State
from hsched.devices.reading import Reading

if TYPE_CHECKING:
    from hsched.broker.broker import Broker

log = logging.getLogger("hsched")

#: Seconds until NVML is asked again while a job waits for outsiders: twice as long each time.
_RECHECK_S = 0.5
_LONGEST_RECHECK_S = 8.0


class Devices:
    """The devices of ``broker``, which it asks about every start."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._asker = Asker(broker.waker, self._roots, broker.shims.leave_alone)
        self._held: list[StartJob] = []
        self._usage: dict[JobId, Usage] = {}
        self._known = DevicesSeen((), ())
        self._trouble = ""
        self._recheck_at: float | None = None
        self._recheck_s = _RECHECK_S
        self._sample_at: float | None = None

    @property
    def mapping(self) -> Mapping:
        """Which devices the slots are."""
        return Mapping.of(self._broker.run.options, self._broker.scheduler.resources)

    @property
    def trouble(self) -> str:
        """Why NVML tells nothing at present, "" where it does."""
        return self._trouble

    @property
    def deadline(self) -> float | None:
        """When :meth:`look_at` is due; None while there is nothing to wait for."""
        self._arm()
        moments = (self._asker.deadline, self._recheck_at, self._sample_at)
        return min((moment for moment in moments if moment is not None), default=None)

    def core_built(self) -> None:
        """Begin anew with a core that was made anew and has no jobs yet."""
        self._asker.forget()
        self._held, self._usage = [], {}
        self._known, self._recheck_at, self._sample_at = DevicesSeen((), ()), None, None
        self._mapping = self.mapping
        self._uuids = [slot.uuid for slot in self._mapping.slots]
        self._is_asked = bool(self._uuids)
        self._ignores_outsiders = bool(self._broker.run.options.get("ignore_outsiders"))
        self._cuda = [slot.cuda for slot in self._mapping.slots]
        self._has_looked = False
        ledger = self._broker.ledger
        nodes = self._broker.run.options.get("near", ())
        ledger.placement = Placement([cpu for cpus in nodes for cpu in cpus])
        ledger.placement.cuda = tuple(self._cuda)
        ledger.device_use = self.use_of

    def holds_back(self, effect: StartJob) -> bool:
        """Whether :meth:`start` asks NVML first, so that the job may not be started at all."""
        asked = self._is_asked and not self._ignores_outsiders
        return asked and bool(self._slots(effect.allocation))

    def start(self, effect: StartJob) -> None:
        """Start a job whose start is on disk, once NVML has told that its devices are free."""
        slots = self._slots(effect.allocation) if self._is_asked else ()
        if slots:
            self._usage[effect.job_id] = Usage(slots)
        if not self.holds_back(effect):
            self._broker.starter.start(effect)
            return
        self._held.append(effect)
        self._asker.ask(self._decide)

    def taken_over(self, job: Job) -> None:
        """Learn of a job that runs already: adopted, or started by an earlier broker."""
        slots = self._slots(job.allocation) if self._is_asked and job.allocation else ()
        if slots:
            self._usage[job.id] = Usage(slots)

    def use_so_far(self, job_id: JobId) -> DeviceUse | None:
        """Return what a running job has done with its devices; None if not known."""
        usage = self._usage.get(job_id)
        return None if usage is None else usage.result()

    def use_of(self, job_id: JobId) -> DeviceUse | None:
        """Return what a job that ends did with its devices, and forget it; None if not known."""
        usage = self._usage.pop(job_id, None)
        return None if usage is None else usage.result()

    def look_at(self, now: float) -> None:
        """Ask NVML if it is time to, and give up on it if it takes too long."""
        self._asker.look_at(now)
        if self._sample_at is not None and now >= self._sample_at:
            self._sample_at = None
            self._forget_idle()
            if self._usage:
                self._asker.ask(self._sample)
        if self._recheck_at is not None and now >= self._recheck_at:
            self._recheck_at = None
            if self._is_waited_for():
                self._recheck_s = min(2 * self._recheck_s, _LONGEST_RECHECK_S)
                self._asker.ask(self._take)

    def close(self) -> None:
        """End the helper process."""
        self._asker.close()

    # What NVML told

    def _decide(self, reading: Reading) -> None:
        """Start the jobs that were held for this, or put them back into the queue."""
        held, self._held = self._held, []
        self._take(reading)
        kept: list[StartJob] = []
        for effect in held:
            job = self._broker.scheduler.find(effect.job_id)
            if job is None or job.allocation != effect.allocation:
                continue
            if job.state is State.STARTING and self._is_free(job):
                kept.append(effect)
            else:
                self._usage.pop(effect.job_id, None)
                self._broker.apply(NotStarted(effect.job_id))
        for effect in kept:
            self._broker.starter.start(effect)

    def _is_free(self, job: Job) -> bool:
        """Whether no outsider has what ``job`` holds; later claims give way to earlier ones."""
        allocation = job.allocation
        assert allocation is not None, "a starting job holds its slots"
        if not allocation.devices:
            return not any(self._known.occupants[slot] for slot in self._slots(allocation))
        sharing = self._broker.scheduler.sharing
        assert sharing is not None, "a share of nothing"
        claimed = dict.fromkeys(allocation.devices, 0)
        for holder in self._broker.scheduler.holders():
            if holder.allocation is not None:
                for device in claimed.keys() & set(holder.allocation.devices):
                    claimed[device] += holder.allocation.memory
            if holder is job:
                break
        return all(
            sharing.memory[device] - claim >= self._known.outside[device]
            for device, claim in claimed.items()
            if device < len(self._known.outside)
        )

    def _take(self, reading: Reading) -> None:
        """Tell the core what outsiders use now, and which devices are there at all."""
        if reading.trouble != self._trouble:
            log.warning("NVML: %s", reading.trouble or "it answers again")
            self._trouble = reading.trouble
        if not reading.trouble:
            self._drain(reading)
        seen_now = self._seen(reading)
        if seen_now != self._known:
            self._known, self._recheck_s = seen_now, _RECHECK_S
            self._broker.apply(seen_now)
        if not reading.trouble:
            found = reading.by_uuid()
            words = zip(self._uuids, self._cuda, strict=True)
            self._cuda = [found[uuid].cuda if uuid in found else word for uuid, word in words]
            self._broker.ledger.placement.cuda = tuple(self._cuda)

    def _seen(self, reading: Reading) -> DevicesSeen:
        if self._ignores_outsiders:
            return DevicesSeen((), ())
        found = reading.by_uuid()
        claimed = self._claimed()
        told = []
        for slot, (uuid, known) in enumerate(zip(self._uuids, self._mapping.slots, strict=True)):
            device = found.get(uuid)
            if reading.trouble:
                told.append(Outsiders(known.memory or 0, reading.trouble))
            elif device is None:
                told.append(Outsiders(known.memory or 0, "gone"))
            else:
                told.append(seen(device, claimed.get(slot, 0)))
        return DevicesSeen(tuple(o.memory for o in told), tuple(o.occupant for o in told))

    def _claimed(self) -> dict[int, int]:
        """Return what running jobs may use of each slot; those that are held use nothing yet."""
        claimed: dict[int, int] = {}
        for job in self._broker.scheduler.holders():
            if job.allocation is not None and job.state is not State.STARTING:
                for slot in self._slots(job.allocation):
                    whole = self._mapping.slots[slot].memory or 0
                    claim = job.allocation.memory if job.allocation.devices else whole
                    claimed[slot] = claimed.get(slot, 0) + claim
        return claimed

    def _drain(self, reading: Reading) -> None:
        """Take the slots of devices that are gone out of use, and put those back that returned."""
        broker, position = self._broker, self._mapping.position
        assert position is not None, "NVML is asked where there are GPUs"
        resource, options = broker.scheduler.resources[position], broker.run.options
        changed = with_gone(options, resource, self._uuids, reading)
        if changed is options:
            return
        before, after = (
            set(one.get("drained", {}).get(resource.name, ())) for one in (options, changed)
        )
        for slots, back in ((after - before, False), (before - after, True)):
            for slot in slots:
                doing = "has come back: in use again" if back else "is gone: drained"
                log.warning("%s:%d (%s) %s", resource.name, slot, self._uuids[slot], doing)
            if slots:
                broker.apply(SlotsDrained(position, tuple(sorted(slots)), back))
        broker.change_run(replace(broker.run, options=changed))

    def _sample(self, reading: Reading) -> None:
        self._take(reading)
        devices = by_slot(self._uuids, reading.by_uuid())
        for job_id, usage in self._usage.items():
            usage.root = self.root(job_id)
            if usage.root is not None:
                usage.take(devices)

    # When to ask

    def _arm(self) -> None:
        if not self._has_looked:
            self._has_looked = True
            for job in self._broker.scheduler.holders():
                if job.state is not State.STARTING:
                    self.taken_over(job)
        if self._sample_at is None and self._usage:
            self._sample_at = clock.monotonic() + SAMPLE_S
        if self._recheck_at is None and not self._asker.deadline and self._is_waited_for():
            self._recheck_at = clock.monotonic() + self._recheck_s

    def _forget_idle(self) -> None:
        """Sample jobs no more that wait for another try."""
        find = self._broker.scheduler.find
        idle = [one for one in self._usage if (job := find(one)) is None or not job.is_holding]
        for job_id in idle:
            del self._usage[job_id]

    def _is_waited_for(self) -> bool:
        """Whether some job waits for what outsiders use, or for a device that is gone."""
        scheduler = self._broker.scheduler
        if self._broker.run.options.get("gone") and scheduler.pending_count:
            return True
        has_outsiders = any(self._known.outside) or any(self._known.occupants)
        return has_outsiders and scheduler.waits_for_outsiders

    # Whose is what

    def _slots(self, allocation: Allocation) -> tuple[int, ...]:
        """Return the slots of an allocation that are devices which NVML knows."""
        position = self._mapping.position
        if position is None:
            return ()
        held: Iterable[int] = allocation.devices or allocation.slots[position]
        return tuple(slot for slot in held if slot < len(self._uuids))

    def _roots(self) -> list[int]:
        found = (self.root(job_id) for job_id in self._usage)
        return [pid for pid in found if pid is not None]

    def root(self, job_id: JobId) -> int | None:
        """Return the process that all of a job descends from."""
        holders = (self._broker.shims, self._broker.adopted, self._broker.foreground)
        return next((pid for one in holders if (pid := one.pid_of(job_id))), None)
