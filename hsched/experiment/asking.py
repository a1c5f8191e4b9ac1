"""What a task asks of the scheduler: by its submission, its class, its launcher, by default."""

from __future__ import annotations

from typing import Any

from hsched.core.durations import parse_duration
from hsched.errors import WrongUsage
from hsched.experiment.jobs import Asked, Job
from hsched.experiment.launchers import Launcher
from hsched.experiment.schema import schema_of

OPTIONS = {
    "slots",
    "time",
    "priority",
    "grace",
    "max_retries",
    "launcher",
    "run_mode",
}


def choose_launcher(given: Any, default: Launcher) -> Launcher:
    """Return the launcher that a task gets: the one given, or the default.

    Raises:
        WrongUsage: what was given is none.
    """
    launcher = default if given is None else given
    if not isinstance(launcher, Launcher):
        raise WrongUsage(f"launcher={given!r}: no Launcher; DirectLauncher() is one")
    return launcher.select()


def asked_of(config: Any, options: dict[str, Any], launcher: Launcher, defaults: Asked) -> Asked:
    """Return what a task asks for: ``submit`` first, then its class, launcher, experiment.

    Raises:
        WrongUsage: there is no such option, or its value makes no sense.
    """
    unknown = options.keys() - OPTIONS
    if unknown:
        names = ", ".join(sorted(OPTIONS))
        raise WrongUsage(f"submit: no option `{min(unknown)}`; there are {names}")

    def _first(name: str, of_launcher: Any = None) -> Any:
        for value in (options.get(name), _of_class(config, name), of_launcher):
            if value is not None:
                return value
        return None

    slots = _first("slots", launcher.slots)
    limit = _first("time", launcher.time)
    priority = _first("priority", launcher.job_priority)
    grace = _first("grace", launcher.grace)
    retries = _first("max_retries")
    return Asked(
        slots=defaults.slots if slots is None else slots_of(slots),
        time_limit=defaults.time_limit if limit is None else seconds("time", limit),
        priority=defaults.priority if priority is None else whole("priority", priority),
        grace=defaults.grace if grace is None else seconds("grace", grace),
        max_retries=defaults.max_retries if retries is None else count("max_retries", retries),
    )


def wants_warmth(job: Job) -> bool:
    """Return whether a warm interpreter may run a task; ``warm = False`` of its class forbids."""
    return _of_class(job.config, "warm") is not False


def _of_class(config: Any, name: str) -> Any:
    """Return what the class says, where that is no parameter or method of this name."""
    cls = type(config)
    if name in schema_of(cls).by_name:
        return None
    value = getattr(cls, name, None)
    return value if isinstance(value, (str, int, float)) else None


def slots_of(value: Any) -> str:
    """Return SLOTS as a word; a number means cores.

    Raises:
        WrongUsage: it is neither.
    """
    if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip():
        return str(value)
    raise WrongUsage(f"slots={value!r}: a word such as '2,1,8' or 'cores=2,gpus=1', or a number")


def seconds(name: str, value: Any) -> float:
    """Return a length of time in seconds; words are as for ``hsubmit --time``.

    Raises:
        WrongUsage: it is none.
    """
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0:
        return float(value)
    raise WrongUsage(f"{name}={value!r}: seconds, or a word such as '90m' or '2h'")


def whole(name: str, value: Any) -> int:
    """Return a whole number.

    Raises:
        WrongUsage: it is none.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise WrongUsage(f"{name}={value!r}: a whole number")


def count(name: str, value: Any) -> int:
    """Return a whole number from 0 on.

    Raises:
        WrongUsage: it is none.
    """
    if whole(name, value) < 0:
        raise WrongUsage(f"{name}={value!r}: a whole number from 0 on")
    return int(value)
