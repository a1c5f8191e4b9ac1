"""Answers ``run``: queues a job that the process which asks is going to run itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsched.broker import clock, dependencies, newcomers, remains, specs
from hsched.broker.endpoint import Peer
from hsched.broker.foreground import KIND
from hsched.broker.newcomers import NO_ENVIRONMENT, Origin
from hsched.broker.verbs.verb import Verb
from hsched.core.events import Submitted
from hsched.core.model import format_job_id, job_id
from hsched.errors import Refused, WrongUsage
from hsched.wire.run import RunReply, RunRequest
from hsched.wire.submit import JobSpec

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def _run(broker: Broker, request: RunRequest, peer: Peer, _key: str) -> RunReply:
    newcomers.check_open(broker)
    newcomers.check_run(broker, request.run, bool(request.job.dependencies))
    spec = _spec(request, peer)
    specs.check(spec)
    broker.engine.check(spec)
    numbers = broker.next_numbers(1)
    batch = dependencies.batch((spec,), numbers)
    edges = dependencies.resolve_all(broker, spec.dependencies, batch)
    wanted = specs.request(spec, broker.scheduler.resources, broker.scheduler.sharing)
    clocks = (clock.monotonic(), broker.wall)
    new = specs.new_job(job_id(numbers[0]), spec, wanted, edges, clocks)
    broker.apply(Submitted((new,), batch.finished))
    broker.numbers_given(numbers)
    broker.store.begin()
    origin = Origin(peer.uid, request.cwd, NO_ENVIRONMENT)
    broker.store.add_jobs([newcomers.row(broker, new, spec, origin)])
    broker.foreground.watch(new.id, spec)
    return RunReply(id=format_job_id(new.id))


def _spec(request: RunRequest, peer: Peer) -> JobSpec:
    """Return what was asked for, with the two processes that it is about.

    Which one asks the kernel says; that the child is its own is looked at.

    Raises:
        Refused: one of them is not there, or not what it is said to be.
        WrongUsage: it asks for what makes no sense in the foreground.
    """
    job = request.job
    if job.array or job.unique is not None or job.retries or job.on_done is not None:
        raise WrongUsage("a job in the foreground is one job, and runs once")
    if remains.start_time(peer.pid) != request.started:
        raise Refused(
            "hrun cannot be watched from here: it needs a scheduler of this machine, by its "
            "socket, and not from inside of a container; hsubmit and hwait do without"
        )
    child = remains.process(request.child)
    if child is None or child.parent != peer.pid:
        raise Refused(f"process {request.child} is no child of process {peer.pid}")
    fields = {
        "kind": KIND,
        "pid": peer.pid,
        "pid_started": request.started,
        "child": request.child,
        "child_started": request.child_started,
    }
    return JobSpec(**{**job.as_dict(), **fields})


VERB = Verb(RunRequest, _run, changes=True)
