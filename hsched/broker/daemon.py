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
from hsched.broker.broker import Broker
from hsched.broker.cgroups import Cgroups
from hsched.broker.devices.mapping import Mapping, identified, seen_by_cuda
from hsched.broker.devices.placement import CORES, groups, near_first
from hsched.broker.endpoint import Endpoint, choose_socket
from hsched.broker.parts import Parts
from hsched.broker.premises import Premises
from hsched.broker.store import Store
from hsched.broker.store.rows import Run
from hsched.broker.waker import Waker
from hsched.core.events import SlotsDrained, StartsStopped
from hsched.core.model import Resource
from hsched.core.names import fault_of_whole
from hsched.core.policy import Policy
from hsched.core.scheduler import Scheduler
from hsched.core.spec import format_amounts, parse_spec
from hsched.devices.ask import read_once
from hsched.devices.machine import AUTO, auto_spec
from hsched.devices.reading import Reading
from hsched.errors import HschedError, NotRunning, Refused, StoreError, WrongUsage
from hsched.network import Tcp
from hsched.paths import Place
from hsched.slurm.options import parse as parse_options

log = logging.getLogger("hsched")

#: How the folder of a run is called, and what its name must not begin with.
_RUN_FOLDER = "%Y-%m-%d/%H-%M-%S"
_NOT_RUNS = ("hsched.db", "lock", "address", "current", "broker.log", "socket")

_LOG_BYTES, _LOG_FILES = 10_000_000, 3


@dataclass(frozen=True, slots=True)
class Settings:
    """What hstart asked for; None means: as before, or the default."""

    spec: str | None = None
    policy: str | None = None
    overtake: int | None = None
    cgroup: bool | None = None
    jobserver: bool | None = None
    on_done: str | None = None
    pin: bool | None = None
    ignore_outsiders: bool | None = None
    keep_env_s: float | None = None
    continued: bool = False  # the run that there is, as a killed broker left it
    resumed: bool = False  # also where it was drained
    tcp: tuple[str, int] | None = None
    engine: str | None = None
    engine_options: tuple[str, ...] = ()

    def options(self, before: dict[str, Any]) -> dict[str, Any]:
        """Return the options of a run, those of ``before`` where nothing else was said."""
        said: dict[str, Any] = {
            "policy": self.policy,
            "overtake": self.overtake,
            "cgroup": self.cgroup,
            "jobserver": self.jobserver,
            "on_done": self.on_done,
            "near": near_first(os.sched_getaffinity(0)) if self.pin else None,
            "ignore_outsiders": self.ignore_outsiders,
            "keep_env_s": self.keep_env_s,
            "tcp": None if self.tcp is None else list(self.tcp),
        }
        if self.engine == "slurm":
            said |= {"engine": "slurm", "engine_options": parse_options(self.engine_options)}
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
    folder = os.path.join(place.run_folder(run.name), "records")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    kernel.become_subreaper()
    endpoint = Endpoint(choose_socket(place), _tcp_of(run))
    waker, cgroups = Waker(), Cgroups(place.name) if run.options.get("cgroup") else None
    parts = Parts(
        place=place,
        run=run,
        store=store,
        new_scheduler=new_scheduler,
        endpoint=endpoint,
        premises=Premises(place, lock, endpoint),
        waker=waker,
        shims=shims.Shims(folder, waker, cgroups),
    )
    broker = Broker(parts, checkpoint)
    if endpoint.gate is not None:
        broker.waker.watch(endpoint.gate.descriptor, endpoint.gate.answer)
    broker.take_over()
    parts.premises.open()
    return broker


def new_scheduler(run: Run) -> Scheduler:
    """Return an empty core with the resources and the policy of ``run``."""
    options, now = run.options, clock.monotonic()
    if "engine" in options:
        return Scheduler(run.resources, elsewhere=True)
    policy = Policy(options.get("policy", Policy.BACKFILL.value))
    sharing = Mapping.of(options, run.resources).sharing()
    scheduler = Scheduler(
        run.resources, policy, options.get("overtake", 10), sharing, _near(options, run.resources)
    )
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
    _check_engine(run, settings)
    resources, options = _goes_on(run, settings)
    changed = replace(run, resources=resources, options=options)
    store.begin()
    store.update_run(changed)
    store.commit()
    return changed


def _goes_on(run: Run, settings: Settings) -> tuple[tuple[Resource, ...], dict[str, Any]]:
    """Return the resources and options of a run that was not stopped, from now on."""
    spec, reading = _machine(settings.spec)
    resources = run.resources if spec is None else parse_spec(spec)
    options = settings.options(run.options)
    if "engine" in options:
        return resources, options
    return resources, _with_devices(options, resources, reading)


def _check_engine(run: Run, settings: Settings) -> None:
    """Check that a run goes on where its jobs are.

    Raises:
        Refused: it was begun elsewhere.
    """
    engine = run.options.get("engine", "local")
    if settings.engine not in (None, engine):
        raise Refused(
            f"there is a run that was not stopped, with --engine {engine}; `hstart --continue` "
            "goes on with it, and `hstop` ends it"
        )


def _tcp_of(run: Run) -> Tcp | None:
    """Return the TCP address that the run is reached at besides its socket file."""
    return Tcp(*run.options["tcp"]) if run.options.get("tcp") else None


def _new_run(place: Place, store: Store, settings: Settings) -> Run:
    resources, options = _on_slurm(settings) if settings.engine == "slurm" else _here(settings)
    name = _new_run_name(place)
    folder = place.run_folder(name)
    try:
        os.makedirs(folder, mode=0o700)
    except OSError as error:
        raise HschedError(f"cannot make the run's folder {folder}: {error.strerror}") from error
    store.begin()
    run = store.add_run(name, resources, options, (clock.wall(), clock.boot_id()))
    store.commit()
    _point_to(place.current, name)
    totals = [resource.capacity for resource in resources]
    log.info("run %s with %s", name, format_amounts(totals, resources))
    return run


def _here(settings: Settings) -> tuple[tuple[Resource, ...], dict[str, Any]]:
    """Return the resources and options of a run on this machine."""
    spec, reading = _machine(settings.spec)
    resources = parse_spec(str(len(os.sched_getaffinity(0))) if spec is None else spec)
    return resources, _with_devices(settings.options({}), resources, reading)


def _on_slurm(settings: Settings) -> tuple[tuple[Resource, ...], dict[str, Any]]:
    """Return the resources and options of a run on a cluster, after a look at what it has."""
    from hsched.broker.slurm import site  # for the few brokers that have one

    site.check_programs()
    options = settings.options({})
    spec = None if settings.spec == AUTO else settings.spec
    resources = parse_spec(spec or site.default_spec(options["engine_options"]))
    return resources, site.settled(options, resources)


def _machine(spec: str | None) -> tuple[str | None, Reading | None]:
    """Return SPEC with `auto` replaced by what there is, and what NVML told for it, if asked."""
    if spec != AUTO:
        return spec, None
    reading = read_once()
    ours = seen_by_cuda(reading.devices, os.environ.get("CUDA_VISIBLE_DEVICES"))
    return auto_spec(reading, len(ours)), reading


def _with_devices(
    options: dict[str, Any], resources: tuple[Resource, ...], reading: Reading | None
) -> dict[str, Any]:
    """Return the options of a run with its devices, as NVML tells where there are any."""
    if reading is None:
        has_gpus = Mapping.of(options, resources).position is not None
        reading = read_once() if has_gpus else Reading()
    found = identified(options, resources, reading, os.environ.get("CUDA_VISIBLE_DEVICES"))
    if found["device_warning"]:
        log.warning("%s", found["device_warning"])
    elif reading.trouble:
        log.info("GPUs are slots without a device: %s", reading.trouble)
    return found


def _near(options: dict[str, Any], resources: tuple[Resource, ...]) -> dict[int, tuple[int, ...]]:
    """Return which slots are near each other, by position of their resource."""
    nodes = options.get("near", [])
    return {
        position: groups(nodes, resource.capacity)
        for position, resource in enumerate(resources)
        if resource.name == CORES and resource.numbered and len(nodes) > 1
    }


def _new_run_name(place: Place) -> str:
    pattern = os.environ.get("CACHE_DIR_FORMAT") or _RUN_FOLDER
    name = clock.run_name(pattern)
    fault = fault_of_whole(name)
    if name.startswith(_NOT_RUNS):
        fault = "the scheduler's folder has that already"
    if fault:
        raise WrongUsage(f"CACHE_DIR_FORMAT {pattern[:80]!r} gives no folder: {fault}")
    suffix = 1
    while os.path.lexists(place.run_folder(name)):
        suffix += 1
        name = f"{clock.run_name(pattern)}-{suffix}"
    return name


def _point_to(link: str, target: str) -> None:
    fresh = f"{link}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(fresh)
    os.symlink(target, fresh)
    os.replace(fresh, link)
