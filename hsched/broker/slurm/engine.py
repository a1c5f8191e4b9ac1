"""Brings what the core wants and what Slurm does into agreement, one command at a time.

Nothing here trusts its memory.  What is to be done follows from a comparison of the core
(what somebody asked for), the journal (what was handed over), the last look at Slurm's
queue and the records of the nodes; so a broker that was killed anywhere goes on by
looking.  While the controller is away, everything stays as it is and is tried again.
"""

from __future__ import annotations

import logging
import math
import os
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from hsched.broker import clock
from hsched.broker.ledger import Start
from hsched.broker.slurm import admission, follow, orders, srun, submission
from hsched.broker.slurm.commands import Answer, Commands
from hsched.broker.slurm.files import Files
from hsched.broker.slurm.journal import Journal, Remote
from hsched.broker.slurm.queue import Queue
from hsched.core.effects import Effect, EndJob, SignalJob
from hsched.core.job import Job
from hsched.core.model import JobId, State, job_id
from hsched.errors import Refused
from hsched.slurm import answers, options, states
from hsched.slurm.states import Phase
from hsched.wire.run import TurnReply
from hsched.wire.submit import JobSpec
from hsched.wire.update import UpdateRequest

if TYPE_CHECKING:
    from hsched.broker.broker import Broker

log = logging.getLogger("hsched")

#: Seconds between two looks while nothing changes, at most.
_LONGEST_PAUSE_S = 30.0
_SHORTEST_PAUSE_S = 1.0
_SLOWER = 1.5
#: A look is not repeated before this many times as long as it took has passed.
_LEISURE = 10.0

_TERM, _KILL = 15, 9


class SlurmEngine:
    """The broker's edge to Slurm.  It has the methods of :class:`~hsched.broker.local.Local`."""

    is_remote = True

    def __init__(self, broker: Broker) -> None:
        run = broker.run
        self.broker = broker
        self.files = Files(os.path.join(broker.run_folder, "slurm"))
        self.journal = Journal(os.path.join(self.files.folder, "journal"))
        self.queue = Queue(broker.run_folder)
        self.site: dict[str, str] = dict(run.options.get("engine_options", {}))
        self.others: dict[str, str] = dict(run.options.get("engine_resources", {}))
        self.jobs: dict[JobId, Remote] = {}
        self.trouble = ""
        self.looked_at = -math.inf
        self.deadline: float | None = None
        self._commands = Commands(broker.waker, os.path.join(self.files.folder, "helper.lock"))
        self._shortest = options.number(self.site, options.POLL, _SHORTEST_PAUSE_S)
        self._addresses: dict[JobId, str] = {}
        self._known_number = 0
        self._active = False

    # What the broker calls

    def reset(self) -> None:
        """Do nothing until :meth:`recovered`: the core was built anew."""
        self.jobs = {}
        self._commands.forget()
        self._dirty: dict[JobId, None] = {}
        self._signals: deque[tuple[JobId, int]] = deque()
        self._known_number = self.broker.last_number
        self._pause = self._shortest
        self._must_look, self._active = True, False
        self._is_eager = False
        self._was_draining = self.broker.draining
        self.deadline = None
        #: Jobs of Slurm to be cancelled that are nobody's, with the job they were made for.
        self.strays: dict[str, JobId] = {}
        #: Jobs that Slurm's queue has forgotten, to be asked about.
        self.inquiries: deque[JobId] = deque()
        #: Jobs in the foreground that shall end, and that the next look may show to run.
        self.unseen: set[JobId] = set()
        #: When jobs in the foreground had their turn, live ones and those done since the last
        #: look: srun may have left them.
        self._sruns: dict[JobId, Start] = {}

    def recovered(self) -> None:
        """Begin, with the live jobs in the core: look before anything is handed over."""
        scheduler = self.broker.scheduler
        known = self.journal.read()
        self._addresses = {one: remote.address for one, remote in known.items()}
        self.jobs = {one: remote for one, remote in known.items() if scheduler.find(one)}
        self._dirty = {job.id: None for job in scheduler.live()}
        now = Start(clock.wall(), clock.monotonic())  # as far as anybody knows
        ours = (job.id for job in scheduler.live() if job.id in self.broker.foreground)
        self._sruns = dict.fromkeys(ours, now)
        self._active = True
        self._act()

    def committed(self, effects: Iterable[Effect]) -> None:
        """Do what follows from a turn that is on disk."""
        if not self._active:
            return
        last = self.broker.last_number
        for number in range(self._known_number + 1, last + 1):
            self._dirty |= dict.fromkeys(self._of(number))
        self._known_number = last
        for effect in effects:
            if not isinstance(effect, SignalJob):
                self._dirty[effect.job_id] = None
            if isinstance(effect, EndJob):
                self._ended(effect)
        self._dirty |= dict.fromkeys(self.broker.foreground.waiting())
        if self._was_draining != self.broker.draining:
            self._was_draining = self.broker.draining
            self._dirty |= {job.id: None for job in self.broker.scheduler.live()}
        self._act()

    def signal(self, job_id: JobId, number: int) -> None:
        """Have every process of a job's tree get a signal."""
        remote = self.jobs.get(job_id)
        if job_id in self.broker.foreground:
            self._signals.append((job_id, number))
        elif remote is not None and remote.phase is Phase.WAITING and number in (_TERM, _KILL):
            self._dirty[job_id] = None  # it is stopping, and has not begun: cancelled below
        elif remote is not None and remote.phase is not Phase.ENDED:
            self._signals.append((job_id, number))
        self._act()

    def look_at(self, now: float) -> None:
        """Look at the queue, if it is time."""
        if self.deadline is not None and now >= self.deadline:
            self._must_look, self.deadline = True, None
            self._act()

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to be said to Slurm."""
        will_look = (self._must_look or self._is_eager) and self._is_needed()
        busy = self._commands.busy or will_look
        busy = busy or self._was_draining != self.broker.draining  # nobody was told yet
        return not (busy or self._dirty or self._signals or self.strays or self._leftover())

    def check(self, spec: JobSpec) -> None:
        """Check that Slurm can be asked for a job.

        Raises:
            Refused: it cannot; the text says what to do.
            WrongUsage: an option of the site makes no sense.
        """
        admission.check(spec, self.site)

    def check_update(self, ids: Iterable[JobId], request: UpdateRequest) -> None:
        """Check what pending jobs shall be changed to.

        Raises:
            Refused: Slurm cannot be asked for it.
        """
        admission.check_update(ids, request, self.site, self.broker.foreground)

    def awaited(self, job_id: JobId) -> None:
        """Take note that a hrun waits for its turn."""
        self.touch(job_id)
        self._act()

    def turn(self, job: Job, spec: JobSpec) -> TurnReply | None:
        """Return what a hrun may begin with that still waits, None where it must go on waiting."""
        reply = srun.turn(self, job, spec)
        if reply is not None:
            self._sruns[job.id] = Start(clock.wall(), clock.monotonic())
            self.look_soon()
        return reply

    def had_turn(self, job_id: JobId) -> None:
        """Note that a job in the foreground runs, or did, although no look has shown that."""
        now = Start(clock.wall(), clock.monotonic())
        srun.had_turn(self, job_id, self._sruns.setdefault(job_id, now))

    def refuse(self, what: str) -> None:
        """Refuse what only a scheduler that runs its jobs itself can do.

        Raises:
            Refused: always.
        """
        raise Refused(f"{what}: Slurm runs the jobs of scheduler {self.broker.place.name}")

    def reason(self, job: Job) -> str:
        """Return why a pending job waits, in Slurm's words; empty where Slurm has none."""
        remote = self.jobs.get(job.id)
        if remote is None or remote.replaced:
            why = f": {self.trouble}; it is tried again" if self.trouble else ""
            return "" if job.unmet else f"not in Slurm's queue yet{why}"
        why = states.reason(remote.reason) if remote.reason not in ("", "None") else remote.state
        away = f" when last seen; {self.trouble}" if self.trouble else ""
        return f"slurm job {remote.address}: {why}{away}"

    def engine_id(self, job_id: JobId) -> str | None:
        """Return the id of Slurm of a job of this run, None where it never had one."""
        return self._addresses.get(job_id)

    def know(self, remotes: dict[JobId, Remote]) -> None:
        """Take up jobs that Slurm has."""
        self.jobs |= remotes
        self._addresses |= {one: remote.address for one, remote in remotes.items()}

    def close(self) -> None:
        """Leave the jobs to Slurm; the next broker finds them again."""
        self._active = False
        self._commands.forget()
        self._commands.close()

    # What the other files of this package use

    def ask(self, argv: list[str], then: Callable[[Answer], None], said: str = "") -> None:
        """Run a command of Slurm; only where none runs."""
        self._commands.ask(argv, lambda answer: self._answered(then, answer), said)

    def touch(self, *jobs: JobId) -> None:
        """Compare these jobs again."""
        self._dirty |= dict.fromkeys(jobs)

    def failed(self, complaint: str) -> None:
        """Note that Slurm could not be asked: look before anything else, after a while."""
        if complaint != self.trouble:
            log.warning("Slurm: %s", complaint)
        self.trouble = complaint
        self._must_look = False
        self._slow_down(0.0)
        self.deadline = clock.monotonic() + self._pause

    def look_soon(self) -> None:
        """Something has happened: look at the queue after the shortest pause."""
        self._pause = self._shortest
        self.deadline = min(self.deadline or float("inf"), clock.monotonic() + self._pause)

    def look_next(self) -> None:
        """Somebody waits for what a look tells: look when all else has been said."""
        self._is_eager = True

    # One command after the other

    def _answered(self, then: Callable[[Answer], None], answer: Answer) -> None:
        if self._active:
            self.broker.wall = clock.wall()
            then(answer)
            self._act()
            self._wake_up()

    def _act(self) -> None:
        """Give the next command, if none runs."""
        if not self._active or self._commands.busy or (self.trouble and not self._must_look):
            return
        if self._must_look and self._is_needed():
            self._must_look = False
            self.queue.look(self, self._looked)
        elif not (self._say_urgent() or self._say_next()) and self._is_needed():
            if self._is_eager:
                self._is_eager, self._must_look = False, True
                self._act()
            self.deadline = self.deadline or clock.monotonic() + self._pause

    def _say_urgent(self) -> bool:
        """Say what concerns jobs that Slurm has; return whether a command was given."""
        while self._signals:
            job_id, number = self._signals.popleft()
            in_foreground = job_id in self.broker.foreground
            if (srun if in_foreground else orders).send_signal(self, job_id, number):
                return True
        while self.inquiries:
            if follow.inquire(self, self.inquiries.popleft()):
                return True
        if self.strays:
            orders.cancel_stray(self, *self.strays.popitem())
            return True
        return False

    def _say_next(self) -> bool:
        """Compare jobs until a command was given for one; return whether one was."""
        while self._dirty:
            one = next(iter(self._dirty))
            del self._dirty[one]
            if self._reconcile(one):
                return True
            if self._must_look:  # it must know more first
                self._dirty[one] = None
                self._act()
                return True
        return False

    def need_look(self) -> None:
        """Look at the queue before the next command."""
        self._must_look = True

    def _reconcile(self, job_id: JobId) -> bool:
        """Compare one job; return whether a command was given for it."""
        job, remote = self.broker.scheduler.find(job_id), self.jobs.get(job_id)
        if remote is not None and remote.phase is Phase.ENDED:
            follow.advance(self, job_id)
            job, remote = self.broker.scheduler.find(job_id), self.jobs.get(job_id)
        if job is not None and job_id in self.broker.foreground:
            return srun.reconcile(self, job, remote)
        if job is None:
            return remote is not None and orders.cancel(self, job_id, remote)
        if job.state is State.STOPPING and (remote is None or remote.phase is Phase.WAITING):
            if remote is None:
                follow.gone(self, job)
                return False
            return orders.cancel(self, job_id, remote)
        if job.state is State.PENDING:
            if remote is None:
                return submission.submit(self, job)
            return orders.adjust(self, job, remote)
        return False

    def _looked(self, seen: list[answers.Seen], took_s: float) -> None:
        self.trouble, self.looked_at = "", clock.monotonic()
        live = self.broker.scheduler.find
        self._sruns = {one: start for one, start in self._sruns.items() if live(one)}
        changed = follow.take_in(self, seen)
        waiting = (job for job in self.broker.scheduler.live() if job.id not in self.jobs)
        self._dirty |= {job.id: None for job in waiting}
        if changed:
            self._pause = self._shortest
        self._slow_down(took_s, 1.0 if changed else _SLOWER)
        self.deadline = clock.monotonic() + self._pause if self._is_needed() else None

    def _slow_down(self, took_s: float, factor: float = _SLOWER) -> None:
        longest = max(_LONGEST_PAUSE_S, self._shortest)
        self._pause = min(longest, max(self._pause * factor, took_s * _LEISURE))

    def _is_needed(self) -> bool:
        return bool(self.jobs or self._dirty or self._sruns or self.broker.scheduler.live_count)

    def _ended(self, effect: EndJob) -> None:
        self.files.remove(effect.job_id, effect.attempt)
        if effect.job_id in self._sruns:  # a killed srun leaves its job to Slurm
            self.jobs.pop(effect.job_id, None)
            self.look_next()

    def _leftover(self) -> bool:
        """Whether a job that is done here still lives in Slurm, and does not know yet."""
        scheduler = self.broker.scheduler
        return any(
            remote.phase is not Phase.ENDED and not remote.cancelled and not scheduler.find(one)
            for one, remote in self.jobs.items()
        )

    def _wake_up(self) -> None:
        """Let the broker look whether it may end, although nothing else has changed."""
        if (self.broker.stop_request or self.broker.draining) and self.is_settled:
            self.broker.store.begin()

    def _of(self, number: int) -> list[JobId]:
        whole = job_id(number)
        scheduler = self.broker.scheduler
        if scheduler.find(whole) is not None:
            return [whole]
        return [job.id for job in scheduler.members(whole)]
