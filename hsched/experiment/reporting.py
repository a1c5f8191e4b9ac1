"""How far a task is: reported from inside, shown by the driver and `hsched experiments`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sized
from typing import Any, Generic, TypeVar

from hsched.experiment import files, runtime
from hsched.experiment.outputs import FOLDER

T = TypeVar("T")

FILE = os.path.join(FOLDER, "progress.json")

#: Smaller steps than this are not worth a file.
_STEP = 0.01


class _Level:
    """One bar: how much of 1 is done, and of what."""

    def __init__(self, value: float, desc: str | None) -> None:
        self.value = value
        self.desc = desc


_levels: list[_Level] = []


def progress(value: float, level: int = 0, desc: str | None = None) -> None:
    """Say that ``value`` (0 to 1) of the task is done; ``desc`` says of what.

    ``level`` 1 is a part of level 0, and so on: what lies deeper is forgotten.  Outside a
    task nothing happens.  Steps of less than a percent are not written.
    """
    if runtime.now is None:
        return
    before = _levels[level] if level < len(_levels) else None
    while len(_levels) <= level:
        _levels.append(_Level(0.0, None))
    is_news = (
        before is None
        or abs(value - before.value) >= _STEP
        or (value >= 1.0 > before.value)
        or (desc is not None and desc != before.desc)
        or len(_levels) > level + 1
    )
    if is_news:
        _levels[level:] = [_Level(value, desc or (before.desc if before else None))]
        _write(os.path.join(runtime.now.folder, FILE))


def _write(path: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    value = [{"value": round(one.value, 4), "desc": one.desc} for one in _levels]
    files.write_whole(path, json.dumps(value) + "\n")


def read(folder: files.Name) -> tuple[float, str] | None:
    """Return how much of the task in ``folder`` is done, and of what; None if it never said."""
    text = files.read_text(os.path.join(folder, FILE))
    try:
        levels = json.loads(text or "[]")
        if not levels:
            return None
        words = [str(one["desc"]) for one in levels if one["desc"]]
        return float(levels[0]["value"]), " / ".join(words)
    except (ValueError, KeyError, TypeError):
        return None


class tqdm(Generic[T]):
    """Iterate, and report how far it is: ``for batch in tqdm(batches, desc="train")``."""

    _open = 0

    def __init__(
        self,
        iterable: Iterable[T] | None = None,
        desc: str | None = None,
        total: float | None = None,
        **_others: Any,
    ) -> None:
        """Begin at 0 of ``total``, by default the length of ``iterable``.

        Other options of the tqdm package are taken and have no effect.
        """
        self.iterable = iterable
        self.desc = desc
        known = len(iterable) if isinstance(iterable, Sized) else None
        self.total = total if total is not None else known
        self.n = 0.0
        self._level = tqdm._open
        tqdm._open += 1
        self._report()

    def __iter__(self) -> Iterator[T]:
        assert self.iterable is not None, "tqdm(total=...) counts by update()"
        try:
            for item in self.iterable:
                yield item
                self.update()
        finally:
            self.close()

    def __enter__(self) -> tqdm[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def update(self, n: float = 1) -> None:
        """Count ``n`` more."""
        self.n += n
        self._report()

    def set_description(self, desc: str | None = None, refresh: bool = True) -> None:
        """Say what is being done now."""
        self.desc = desc
        self._report()

    def close(self) -> None:
        """End this bar; the one around it goes on."""
        tqdm._open = min(tqdm._open, self._level)

    def _report(self) -> None:
        progress(min(1.0, self.n / self.total) if self.total else 0.0, self._level, self.desc)
