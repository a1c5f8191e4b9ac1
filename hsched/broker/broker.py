"""The broker's loop: what happened goes into the core, what it wishes is carried out.

One turn: take in all that happened, commit, and only then answer, start and
signal.  So whatever a client was told and whatever was started is on disk; what a
shim has started by itself is so by its record or a promise (standby.py).  A
commit that fails is treated like a crash: the core is built anew from the store,
and what happened meanwhile is found again when there is room.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from hsched.broker import adopted, clock, drained, endings, recovery
from hsched.broker.adopted import Adopted
from hsched.broker.announcer import Announcer
from hsched.broker.devices.devices import Devices
from hsched.broker.endpoint import Incoming, Peer, encode
from hsched.broker.engines import engine_of
from hsched.broker.foreground import Foreground
from hsched.broker.hooks import Hooks
from hsched.broker.housekeeping import Housekeeping
from hsched.broker.ledger import Ledger
from hsched.broker.parts import Parts, Timed, Turn
from hsched.broker.shims import Shims
from hsched.broker.standby import Standby
from hsched.broker.starter import Starter
from hsched.broker.store.rows import Run
from hsched.broker.verbs import VERBS, Verb, stop
from hsched.core.effects import ChangeJob, Effect, EndJob, SignalJob, StartJob
from hsched.core.events import Ended, Event, TimePassed
from hsched.core.model import JobId, State
from hsched.errors import HschedError, ProtocolMismatch, StoreError
from hsched.wire.frames import PROTOCOL_VERSION
from hsched.wire.message import Message, from_json
from hsched.wire.subscribe import Changes

log = logging.getLogger("hsched")

#: How long to wait before trying again what the machine had no room for, in seconds.
RETRY_S = 1.0


class Broker:
    """The edges around one scheduler.  Verbs (:mod:`hsched.broker.verbs`) work on it."""

    def __init__(self, parts: Parts, checkpoint: Callable[[str], None] = lambda _: None) -> None:
        """``checkpoint`` is called with the name of each step that a crash could fall into."""
        self.place, self.run, self.store = parts.place, parts.run, parts.store
        self.shims, self.waker = parts.shims, parts.waker
        self.shims.over = partial(endings.job_over, self)
        self.adopted = Adopted(parts.waker, self._adopted_ended)
        self.foreground = Foreground(self)
        self.hooks = Hooks(self)
        self.standby = Standby(self)
        self.checkpoint = checkpoint
        self.announcer = Announcer(self._send_changes)
        self.wall = clock.wall()
        self.stop_request: tuple[Peer, str] | None = None
        self._new_scheduler = parts.new_scheduler
        self._endpoint, self._premises = parts.endpoint, parts.premises
        self._leaving = self._vacating = False
        self._may_have_requests = True
        self._trouble: str | None = None
        self._retry_at = 0.0
        self._turn = Turn()
        self._housekeeping = Housekeeping(parts.store, parts.run)
        self.devices = Devices(self)
        self.engine = engine_of(self)
        self._build_core()
        self.waker.watch(self._endpoint.descriptor, self._look_for_requests)
        self.waker.watch(self._premises.descriptor, self._mend)

    @property
    def _timed(self) -> tuple[Timed, ...]:
        return self.starter, self.standby, self.devices, self.engine

    @property
    def last_number(self) -> int:
        """The number of the job that was submitted last in this run, 0 for none."""
        return self._last_number

    @property
    def draining(self) -> bool:
        """Whether nothing more is started, and the broker ends when nothing runs."""
        return bool(self.run.options.get("draining"))

    @property
    def may_start(self) -> bool:
        """Whether jobs may come in and start: nobody has asked this scheduler to end."""
        return self.stop_request is None and not self.draining

    @property
    def can_write(self) -> bool:
        """Whether the store takes what happens; else it is found when it does again."""
        return self._trouble is None

    @property
    def run_folder(self) -> str:
        """The folder of the current run, with the logs of its jobs."""
        return self.place.run_folder(self.run.name)

    def serve(self) -> None:
        """Work until the run was stopped or :meth:`leave` was called."""
        while not self._leaving:
            self.wall = clock.wall()
            if self._trouble is None and self._housekeeping.is_due(self.wall):
                self._housekeeping.clean(self.wall)
            if self._may_have_requests:
                self._take_requests()
            self._take_deadline()
            if self.draining and not self.scheduler.running_count and self._trouble is None:
                drained.finish(self)
            self._settle()
            self._may_have_requests = self._endpoint.readable
            while not self._may_have_requests and self.standby.offer():
                self._settle()
            if not self._may_have_requests and (patience := self.standby.patience):
                self._may_have_requests = self._endpoint.wait(patience)
            if not self._leaving:  # look at the jobs also while clients never cease to ask
                self.waker.sleep(0.0 if self._may_have_requests else self._pause())
        if self.can_write:
            self.standby.calm()
            self._settle()

    def take_over(self) -> None:
        """Take up the jobs that the store knows to be live, and commit what became of them.

        That the run is now of this boot is part of the same transaction: before it, what
        had been started is lost, after it, it is looked for.
        """
        of_this_boot = replace(self.run, boot_id=clock.boot_id())
        try:
            self.store.begin()
            self.store.update_run(of_this_boot)
        except sqlite3.Error as error:
            self._fall_back(error)
            return
        recovery.recover(self)
        self._housekeeping.clean(self.wall)
        self._settle()
        if self._trouble is None:
            self.run = of_this_boot

    def leave(self, for_good: bool = False) -> None:
        """End the loop after this turn; jobs go on, and the next broker takes over.

        ``for_good`` means that no client shall bring it back.
        """
        self._leaving, self._vacating = True, for_good

    def close(self) -> None:
        """Close socket and store; shims and their jobs go on."""
        self.devices.close()
        self.engine.close()
        self.shims.forget_all()
        self.adopted.forget_all()
        self.foreground.forget_all()
        if self._vacating:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.place.address)
        self._endpoint.close()
        self.store.close()
        self._premises.close()

    # What verbs and recovery use

    def apply(self, event: Event) -> None:
        """Bring ``event`` to the core; what it wishes is done at the end of the turn.

        Raises:
            HschedError: the core refused it; nothing has changed.
        """
        self.standby.withdraw()
        self._turn.effects += self.scheduler.handle(event, clock.monotonic())

    def wish(self, effects: list[Effect]) -> None:
        """Have ``effects`` done at the end of the turn."""
        self._turn.effects += effects

    def reply(self, peer: Peer, key: str, verb: Verb, reply: Message) -> None:
        """Answer at the end of this turn; what changed something is remembered by its key."""
        body = encode(reply)
        if verb.changes:
            self.store.begin()
            self.store.record_reply(key, body, self.wall)
        word = "changes" if isinstance(reply, Changes) else "ok"
        self._turn.replies.append((peer, word, key, body))

    def answer(self, peer: Peer, key: str, reply: Message) -> None:
        """Answer at the end of this turn what has changed nothing."""
        self._turn.replies.append((peer, "ok", key, encode(reply)))

    def change_run(self, run: Run) -> None:
        """Write the resources and options of the run as they are from now on."""
        self.store.begin()
        self.store.update_run(run)
        self.run = run

    def next_numbers(self, count: int) -> range:
        """Return the next job numbers; they are taken by :meth:`numbers_given`."""
        return range(self._last_number + 1, self._last_number + 1 + count)

    def numbers_given(self, numbers: range) -> None:
        """Take job numbers, for good: none is given out again in this run."""
        self._last_number += len(numbers)

    def spent(self, record: str) -> None:
        """Give ``record`` back once what it tells is on disk."""
        self._turn.spent_records.append(record)

    # Taking in

    def _look_for_requests(self) -> None:
        self._may_have_requests = True

    def _take_requests(self) -> None:
        for incoming in self._endpoint.receive():
            peer, header, _ = incoming
            try:
                self.standby.withdraw()
                self._take_request(incoming)
            except HschedError as error:
                self._endpoint.refuse(peer, header.key, error)
            except sqlite3.Error as error:
                self._fall_back(error)
                self._endpoint.refuse(peer, header.key, self._no_room())
            except Exception as error:
                # A bug of ours must cost one request, not the queue.
                log.exception("request %s of pid %d failed", header.word, peer.pid)
                reason = f"the broker failed on this request ({error!r}); see {self.place.log}"
                self._endpoint.refuse(peer, header.key, HschedError(reason))
                if header.word in VERBS and VERBS[header.word].changes:
                    self._fall_back(error)  # it may have changed the core, and not the store

    def _take_request(self, incoming: Incoming) -> None:
        peer, header, body = incoming
        if header.version != PROTOCOL_VERSION:
            raise ProtocolMismatch(
                f"this broker speaks protocol {PROTOCOL_VERSION}, the command {header.version}; "
                "run `hstart --restart` with the newer of the two"
            )
        if (verb := VERBS.get(header.word)) is None:
            raise HschedError(f"this broker knows no verb `{header.word}`")
        if verb.changes and (recorded := self.store.recorded_reply(header.key)) is not None:
            self._turn.replies.append((peer, "ok", header.key, recorded))
            return
        if verb.changes and self._trouble is not None:
            raise self._no_room()
        self._write()  # what happened before in this turn is part of what it sees
        reply = verb.handle(self, from_json(verb.request, body), peer, header.key)
        if reply is not None:
            self.reply(peer, header.key, verb, reply)

    def _take_deadline(self) -> None:
        now = clock.monotonic()
        if self._trouble is not None:
            if now >= self._retry_at:
                self._build_core()
                self._trouble = None
                self.take_over()
            return
        for part in self._timed:
            part.look_at(now)
        if (deadline := self.scheduler.next_deadline()) is not None and deadline <= now:
            self.apply(TimePassed())

    def _adopted_ended(self, job_id: JobId) -> None:
        self.wall = clock.wall()
        if self._trouble is None and self.scheduler.find(job_id) is not None:
            self.apply(Ended(job_id, adopted.ENDED))

    def _mend(self) -> None:
        try:
            self._premises.mend(self.store, self.run_folder)
        except (HschedError, OSError) as error:
            log.error("another has taken our place (%s); leaving it our jobs", error)
            self._trouble = str(error)  # nothing more is written
            self.leave()

    def _pause(self) -> float | None:
        if self._trouble is not None:
            return max(0.0, self._retry_at - clock.monotonic())
        moments = [self.scheduler.next_deadline(), *(part.deadline for part in self._timed)]
        earliest = min((moment for moment in moments if moment is not None), default=None)
        return None if earliest is None else max(0.0, earliest - clock.monotonic())

    # Carrying out

    def _settle(self) -> None:
        """Commit and carry out, until carrying out has brought no news."""
        while self._turn.effects or self._turn.replies or self.store.writing:
            if not self._commit():
                return
            turn, self._turn = self._turn, Turn()
            for peer, word, key, body in turn.replies:
                self._endpoint.reply(peer, word, key, body)
            if turn.effects:
                self.checkpoint("after replies")
            for path in turn.spent_records:
                self.shims.spent(path)
            self._carry_out(turn.effects)
            self.shims.turn_over()
            self.engine.committed(turn.effects)
            self.announcer.publish()

    def _commit(self) -> bool:
        try:
            self._write()
            while self.hooks.follow(self._turn):
                self._write()
            ended = not self.scheduler.live_count and self.engine.is_settled
            if self.stop_request is not None and ended:
                request, self.stop_request = self.stop_request, None
                stop.finish(self, *request)
                self.leave()
            if self.store.writing:
                self.starter.prepare(self._turn.effects)
                self.standby.promise()
                self.checkpoint("before commit")
                self.store.commit()
                self.checkpoint("after commit")
        except sqlite3.Error as error:
            self._fall_back(error)
            return False
        return True

    def _write(self) -> None:
        """Write what this turn has come to so far; it counts once it is committed."""
        turn = self._turn
        self.ledger.write(turn.effects[turn.written :], self.wall)
        turn.written = len(turn.effects)

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case StartJob(job_id):
                    self.announcer.note(job_id, State.STARTING)
                    self.devices.start(effect)
                case SignalJob(job_id, number):
                    self.engine.signal(job_id, number)
                case ChangeJob(job_id):
                    self.announce(job_id)
                case EndJob(job_id, outcome):
                    self.announcer.note(job_id, State.DONE, outcome)
        self.foreground.committed(effects)
        self.announcer.note_arrays(effects, self._turn.effects, self.scheduler.has_members)

    def holders(self, job_id: JobId) -> Shims | Adopted | Foreground:
        """Return who holds a job that runs on this machine."""
        if job_id in self.foreground:
            return self.foreground
        return self.adopted if job_id in self.adopted else self.shims

    def announce(self, job_id: JobId) -> None:
        """Tell subscribers how a live job stands."""
        if (job := self.scheduler.find(job_id)) is not None:
            self.announcer.note(job_id, job.state)

    def _send_changes(self, peer: Peer, key: str, changes: Changes) -> bool:
        return self._endpoint.reply(peer, "changes", key, encode(changes))

    # When the store cannot be written

    def _build_core(self) -> None:
        """Make the core anew; it knows of no job then."""
        self.scheduler = self._new_scheduler(self.run)
        self.ledger = Ledger(self.store, self.run, self.scheduler, self.place)
        self.starter = Starter(self)
        self.standby.core_built()
        self.devices.core_built()
        self._last_number = self.store.last_job_number(self.run.number)
        self._turn = Turn()
        self.engine.reset()

    def _fall_back(self, error: Exception) -> None:
        """Go back to what the store says, and refuse changes until it can be written."""
        log.error("going back to what %s says: %s", self.store.path, error)
        self.standby.withdraw()
        self.store.rollback()
        self.shims.cancel()
        self._trouble = f"the store {self.store.path} cannot be written: {error}; nothing was done"
        for peer, _, key, _ in self._turn.replies:
            self._endpoint.refuse(peer, key, self._no_room())
        self._leaving = self._vacating = False
        self._retry_at = clock.monotonic() + RETRY_S
        self.run = self.store.run_named(self.run.name) or self.run
        self._build_core()
        recovery.restore(self)
        self._turn = Turn()

    def _no_room(self) -> StoreError:
        return StoreError(self._trouble or "the store cannot be written; nothing was done")
