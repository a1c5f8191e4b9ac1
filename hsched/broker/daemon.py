"""Becoming the broker of a place: lock, store, run, socket; then the loop.

The order matters.  The lock comes first, because binding a socket would silently
take it over from a live broker; the address comes last, when requests are served.
"""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
import resource
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hsched.broker import clock, kernel, shims
from hsched.broker.broker import Broker, Parts
from hsched.broker.cgroups import Cgroups
from hsched.broker.devices.mapping import sharing_of
from hsched.broker.endpoint import Endpoint, choose_socket
from hsched.broker.premises import Premises
from hsched.broker.store import Store
from hsched.broker.store.rows import Run
from hsched.broker.waker import Waker
from hsched.core.events import SlotsDrained, StartsStopped
from hsched.core.policy import Policy
from hsched.core.scheduler import Scheduler
from hsched.core.spec import format_amounts, parse_spec
from hsched.errors import HschedError, NotRunning, Refused, StoreError
from hsched.paths import Place

log = logging.getLogger("hsched")

_LOG_BYTES, _LOG_FILES = 10_000_000, 3


@dataclass(frozen=True, slots=True)
class Settings:
    """What hstart asked for; None means: as before, or the default."""

    spec: str | None = None
    policy: str | None = None
    overtake: int | None = None
    cgroup: bool | None = None
    keep_env_s: float | None = None
    continued: bool = False  # the run that there is, as a killed broker left it
    resumed: bool = False  # also where it was drained

    def options(self, before: dict[str, Any]) -> dict[str, Any]:
        """Return the options of a run, those of ``before`` where nothing else was said."""
        said = {
            "policy": self.policy,
            "overtake": self.overtake,
            "cgroup": self.cgroup,
            "keep_env_s": self.keep_env_s,
        }
        after = {**before, **{name: value for name, value in said.items() if value is not None}}
        if self.resumed:
            after.pop("draining", None)
        return after


def build(
    place: Place,
    settings: Settings,
    lock: int,
    checkpoint: Callable[[str], None] = lambda _: None,
) -> Broker:
    """Return the broker of ``place``, its jobs taken over, its socket bound.

    ``lock`` is the place's lock (:func:`~hsched.broker.premises.take_lock`).

    Raises:
        HschedError: it cannot be; the text says why.
    """
    if os.path.lexists(place.current) and not os.path.exists(place.store):
        raise StoreError(
            f"{place.store} is gone, and with it the queue; put it back, "
            f"or remove {place.folder} to begin anew"
        )
    store = Store(place.store)
    run = _open_run(place, store, settings)
    folder = os.path.join(place.folder, run.name, "records")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    kernel.become_subreaper()
    endpoint = Endpoint(choose_socket(place))
    parts = Parts(
        place=place,
        run=run,
        store=store,
        new_scheduler=new_scheduler,
        endpoint=endpoint,
        premises=Premises(place, lock, endpoint),
        waker=Waker(),
        shims=shims.Shims(folder, Cgroups(place.name) if run.options.get("cgroup") else None),
    )
    broker = Broker(parts, checkpoint)
    broker.take_over()
    parts.premises.open()
    return broker


def new_scheduler(run: Run) -> Scheduler:
    """Return an empty core with the resources and the policy of ``run``."""
    options, now = run.options, clock.monotonic()
    policy = Policy(options.get("policy", Policy.BACKFILL.value))
    sharing = sharing_of(run.resources)
    scheduler = Scheduler(run.resources, policy, options.get("overtake", 10), sharing)
    numbered = [(i, one) for i, one in enumerate(run.resources) if one.numbered]
    for position, one in numbered:
        slots = options.get("drained", {}).get(one.name, ())
        there = tuple(slot for slot in slots if slot < one.capacity)
        scheduler.handle(SlotsDrained(position, there), now)
    if options.get("draining"):
        scheduler.handle(StartsStopped(), now)
    return scheduler


def serve(broker: Broker) -> None:
    """Run the loop until the run was stopped or a signal asks the broker to leave."""
    for number in (signal.SIGTERM, signal.SIGINT):
        broker.waker.on_signal(number, broker.leave)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        broker.serve()
    finally:
        broker.close()


def notify(state: str) -> None:
    """Tell the service manager how we stand (sd_notify(3)), where there is one."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        name = "\0" + address[1:] if address.startswith("@") else address
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
        ):
            manager.sendto(state.encode(), name)


def log_to(place: Place) -> None:
    """Send the log to the broker's own file, of bounded size."""
    handler = logging.handlers.RotatingFileHandler(
        place.log, maxBytes=_LOG_BYTES, backupCount=_LOG_FILES - 1
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)


def raise_descriptor_limit() -> None:
    """A descriptor per running job; the jobs' own limit is their submitter's."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _open_run(place: Place, store: Store, settings: Settings) -> Run:
    run = store.open_run()
    if run is None:
        if settings.continued or settings.resumed:
            raise NotRunning(f"scheduler {place.name}: there is no run to continue")
        return _new_run(place, store, settings)
    if run.options.get("draining") and not (settings.continued or settings.resumed):
        raise Refused(
            f"scheduler {place.name} was drained and has jobs left; "
            "`hstart --continue` goes on with them, and then `hstop --force` cancels them"
        )
    resources = run.resources if settings.spec is None else parse_spec(settings.spec)
    changed = replace(run, resources=resources, options=settings.options(run.options))
    store.begin()
    store.update_run(changed)
    store.commit()
    return changed


def _new_run(place: Place, store: Store, settings: Settings) -> Run:
    spec = str(len(os.sched_getaffinity(0))) if settings.spec is None else settings.spec
    resources = parse_spec(spec)
    name = _new_run_name(place)
    folder = os.path.join(place.folder, name)
    try:
        os.makedirs(folder, mode=0o700)
    except OSError as error:
        raise HschedError(f"cannot make the run's folder {folder}: {error.strerror}") from error
    store.begin()
    run = store.add_run(name, resources, settings.options({}), (clock.wall(), clock.boot_id()))
    store.commit()
    _point_to(place.current, name)
    totals = [resource.capacity for resource in resources]
    log.info("run %s with %s", name, format_amounts(totals, resources))
    return run


def _new_run_name(place: Place) -> str:
    name = clock.run_name()
    suffix = 1
    while os.path.exists(os.path.join(place.folder, name)):
        suffix += 1
        name = f"{clock.run_name()}-{suffix}"
    return name


def _point_to(link: str, target: str) -> None:
    fresh = f"{link}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(fresh)
    os.symlink(target, fresh)
    os.replace(fresh, link)
