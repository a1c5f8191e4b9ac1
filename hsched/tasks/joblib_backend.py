"""The backend of joblib whose calls run as jobs; scikit-learn runs on it as well."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from joblib import register_parallel_backend
from joblib.parallel import AutoBatchingMixin, ParallelBackendBase

from hsched.tasks.executor import Executor

NAME = "hsched"


class HschedBackend(AutoBatchingMixin, ParallelBackendBase):  # type: ignore[misc] # no types there
    """Runs batches of calls as jobs; the options are those of :class:`Executor`."""

    supports_retrieve_callback = True

    def __init__(
        self,
        nesting_level: int | None = None,
        inner_max_num_threads: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(nesting_level=nesting_level, inner_max_num_threads=inner_max_num_threads)
        self._executor = Executor(**options)

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """Return how many jobs there are at once; -1 means as many as there is room for."""
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        if n_jobs is None:
            return 1
        return n_jobs if n_jobs > 0 else max(1, self._executor.room() + 1 + n_jobs)

    def submit(self, func: Callable[[], Any], callback: Callable[..., Any] | None = None) -> Any:
        """Queue a batch; what goes wrong there is told through the future, as joblib wants."""
        future: Future[Any]
        try:
            future = self._executor.submit(func)
        except Exception as error:
            future = Future()
            future.set_exception(error)
        if callback is not None:
            future.add_done_callback(callback)
        return future

    apply_async = submit

    def retrieve_result_callback(self, out: Future[Any]) -> Any:
        """Return what a batch returned, or raise what it raised."""
        return out.result()

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Kill what is queued and what runs."""
        for future in self._executor._watch.futures():
            future.cancel()

    def terminate(self) -> None:
        """Wait until all jobs are gone; the backend may be used again."""
        self._executor._watch.join()


def register() -> None:
    """Let ``joblib.parallel_config("hsched", slots="1,0,2")`` choose it."""
    register_parallel_backend(NAME, HschedBackend)
