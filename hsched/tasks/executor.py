"""Functions of a running Python program as jobs: an executor of :mod:`concurrent.futures`."""

from __future__ import annotations

import concurrent.futures
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

from hsched.core.names import fault_of_whole
from hsched.tasks.calls import Call, content_of, name_of
from hsched.tasks.futures import JobFuture, Prepared, Watch
from hsched.tasks.payload import pickled
from hsched.tasks.submission import RUNNER, write_payload
from hsched.tasks.task import ProcTask
from hsched.wire.submit import JobSpec

P = ParamSpec("P")
T = TypeVar("T")

#: So many calls of :meth:`Executor.map` go in one message.
_BATCH = 500


class Executor(concurrent.futures.Executor):
    """Runs each call as a job of its own that holds ``slots``, such as ``"1,1,8"``.

    A call starts when its slots are free, in a new process with the environment and working
    directory of this one.  Function, arguments and result are pickled by cloudpickle, so
    lambdas and what is defined in a script will do.  The interpreter ends after the
    last job, as with other executors; after a kill of this process the jobs go on, and their
    results are lost.

    ``scheduler`` is its name, by default ``HSCHED_NAME`` or ``default``, and it must run;
    ``name`` is that of the jobs, by default the function's; ``env`` adds to the environment;
    ``time_limit`` and ``grace`` are in seconds, and ``timeout`` bounds each request to the
    scheduler, in seconds.
    """

    def __init__(  # noqa: PLR0913 # all but the first are options by name
        self,
        slots: str = "1",
        scheduler: str | None = None,
        *,
        name: str | None = None,
        env: Mapping[str, str] | None = None,
        priority: int = 0,
        time_limit: float | None = None,
        grace: float = 5.0,
        timeout: float = 60.0,
    ) -> None:
        self.slots = slots
        self._name = name
        self._asked: dict[str, Any] = {
            "slots": slots,
            "environment": dict(env) if env else None,
            "priority": priority,
            "time_limit": time_limit,
            "grace": grace,
        }
        self._watch = Watch(scheduler, timeout)
        self._is_over = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> JobFuture[T]:
        """Queue one call and return its future; the job is on disk by then.

        The future raises what the function raised, with the traceback there as its cause,
        or :class:`~hsched.errors.JobFailed` where the job ended without an answer.

        Raises:
            TaskError: the call cannot be pickled; nothing was queued.
            WrongUsage: the slots make no sense, or are more than there are.
            NotRunning: there is no scheduler; `hstart` starts one.
            RuntimeError: the executor was shut down.
        """
        return self._submit(name_of(fn), [content_of(fn, args, kwargs)])[0]

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        **_: Any,
    ) -> Iterator[T]:
        """Return an iterator over the results of all calls, in order.

        The calls are queued at once.  ``chunksize`` calls share a job, which pays where one
        takes less than the tenths of a second that a new process costs; ``timeout`` is in
        seconds from now.  What is not done when the iterator is closed or fails is cancelled.

        Raises:
            TimeoutError: from the iterator: the time is up.
            ValueError: ``chunksize`` is less than 1.
            RuntimeError: the executor was shut down.
            HschedError: as :meth:`submit`; some may have been queued, and are cancelled.
        """
        if chunksize < 1:
            raise ValueError("chunksize must be >= 1.")
        limit = None if timeout is None else time.monotonic() + timeout
        calls = zip(*iterables, strict=False)
        name = name_of(fn)
        futures: list[JobFuture[list[T]]] = []
        try:
            while batch := list(itertools.islice(calls, _BATCH * chunksize)):
                chunks = [batch[at : at + chunksize] for at in range(0, len(batch), chunksize)]
                contents = [content_of(_chunk, (fn, chunk), {}) for chunk in chunks]
                futures += self._submit(name, contents)
        except BaseException:
            _cancel(futures)
            raise
        return _results(futures, limit)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; with ``wait``, return when all jobs are done.

        ``cancel_futures`` cancels those that have not begun.
        """
        self._is_over = True
        if cancel_futures:
            _cancel(one for one in self._watch.futures() if not one.running())
        if wait:
            self._watch.join()

    def room(self) -> int:
        """Return how many calls there is room for at once, whoever holds the slots now.

        Raises:
            NotRunning: there is no scheduler; `hstart` starts one.
        """
        return self._watch.room(self.slots)

    def _submit(self, name: str, contents: Sequence[bytes]) -> list[JobFuture[Any]]:
        if self._is_over:
            raise RuntimeError("cannot schedule new futures after shutdown")
        chosen = name if self._name is None else self._name
        asked = {**self._asked, "name": chosen if not fault_of_whole(chosen) else None}
        return self._watch.submit(lambda folder: [_prepared(c, folder, asked) for c in contents])


def _prepared(content: bytes, run_folder: str, asked: dict[str, Any]) -> Prepared:
    answer = os.path.join(run_folder, "payloads", f"{os.urandom(8).hex()}.answer")
    payload = pickled(ProcTask(Call(content, answer), task_name="call"))
    path = write_payload(run_folder, payload)
    argv = (sys.executable, RUNNER, path, "0", str(len(payload)))
    return Prepared(JobSpec(argv=argv, **asked), path, answer)


def _chunk(function: Callable[..., T], calls: Sequence[tuple[Any, ...]]) -> list[T]:
    return [function(*arguments) for arguments in calls]


def _results(futures: list[JobFuture[list[T]]], limit: float | None) -> Iterator[T]:
    futures.reverse()
    try:
        while futures:
            left = None if limit is None else limit - time.monotonic()
            found = futures[-1].result(left)
            futures.pop()  # so that its results can be freed
            yield from found
    finally:
        _cancel(futures)


def _cancel(futures: Iterable[JobFuture[Any]]) -> None:
    for future in futures:
        future.cancel()
