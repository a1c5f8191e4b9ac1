"""``python -m hsched.broker NAME``: the process that commands start and people see in ps."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
import traceback

from hsched import network, paths
from hsched.errors import HschedError


def main() -> int:
    """Become the broker; tell on the ready descriptor whether that worked."""
    options = _parse()
    os.umask(0o077)
    if options.ready_fd >= 0:
        os.set_inheritable(options.ready_fd, False)  # whoever waits for its end waits for us alone
    if not options.foreground:
        _detach(options.ready_fd)
    if options.ready_fd >= 0:  # whoever has it open keeps the caller waiting
        os.set_inheritable(options.ready_fd, False)
    try:
        return _serve(options)
    except HschedError as error:
        _tell(options.ready_fd, f"{type(error).__name__} {error}")
        return 1
    except Exception as error:  # the last one who can tell the person at the terminal
        traceback.print_exc()
        _tell(options.ready_fd, f"HschedError the broker could not start: {error!r}")
        return 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hsched.broker")
    parser.add_argument("name")
    parser.add_argument("--spec")
    parser.add_argument("--policy")
    parser.add_argument("--overtake", type=int)
    parser.add_argument("--keep-env", type=float)
    parser.add_argument("--cgroup", action="store_true", default=None)
    parser.add_argument("--jobserver", action="store_true", default=None)
    parser.add_argument("--on-done")
    parser.add_argument("--pin", action="store_true", default=None)
    parser.add_argument("--ignore-outsiders", action="store_true", default=None)
    parser.add_argument("--continue", dest="continued", action="store_true")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--foreground", action="store_true")
    parser.add_argument("--salvage", action="store_true")
    parser.add_argument("--engine")
    parser.add_argument("--engine-option", action="append", default=[])
    parser.add_argument("--ready-fd", type=int, default=-1)
    return parser.parse_args()


def _detach(ready: int) -> None:
    """Become nobody's child, with no descriptor of the caller but ``ready``."""
    if os.fork():
        os._exit(0)
    for descriptor in [int(name) for name in os.listdir("/proc/self/fd")]:
        if descriptor > 2 and descriptor != ready:
            try:
                os.close(descriptor)
            except OSError:
                continue  # the one that listed the folder


def _serve(options: argparse.Namespace) -> int:
    # Jobs are many and make no cycles: looking for some after every 700 new objects costs an
    # eighth of a batch.
    gc.set_threshold(50_000, 20, 20)
    # Imported after the fork, so that whoever waits for the first process waits less.
    from hsched.broker import daemon, premises

    place = paths.place(options.name)
    daemon.raise_descriptor_limit()
    lock = premises.take_lock(place)
    daemon.log_to(place)
    if options.salvage:
        _salvage(place)
    settings = daemon.Settings(
        spec=options.spec,
        policy=options.policy,
        overtake=options.overtake,
        cgroup=options.cgroup,
        jobserver=options.jobserver,
        on_done=options.on_done,
        pin=options.pin,
        ignore_outsiders=options.ignore_outsiders,
        keep_env_s=options.keep_env,
        continued=options.continued,
        resumed=options.resume,
        engine=options.engine,
        engine_options=tuple(options.engine_option),
        tcp=network.address(),
    )
    broker = daemon.build(place, settings, lock)
    _tell(options.ready_fd, "ready")
    daemon.notify("READY=1")
    daemon.serve(broker)
    return 0


def _salvage(place: paths.Place) -> None:
    """Make a new store of a damaged one, and say in the log what came of it."""
    from hsched.broker.store.salvage import salvage

    found = salvage(place.store)
    logging.getLogger("hsched").warning(
        "salvaged %s; %d damaged rows were left out; the old store is %s",
        ", ".join(f"{count} of {table}" for table, count in found.kept.items()),
        found.damaged,
        found.old,
    )


def _tell(ready: int, text: str) -> None:
    if ready >= 0:
        os.write(ready, text.encode("utf-8", "replace"))
        os.close(ready)
    elif text != "ready":
        print(f"hsched: {text.partition(' ')[2]}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
