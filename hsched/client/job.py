"""A job as its submitter holds it: an id, and what can be asked of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsched.errors import NoAnswer
from hsched.wire.jobs import JobView

if TYPE_CHECKING:
    from hsched.client.client import Client


class Job:
    """A handle; the job itself lives in the broker and does not care whether we do.

    ``id`` is what the commands print: ``"7"``, or ``"7.3"`` for an element of an array.
    """

    def __init__(self, client: Client, identity: str) -> None:
        self._client = client
        self.id = identity

    def __repr__(self) -> str:
        return f"Job({self.id!r})"

    def __str__(self) -> str:
        return self.id

    def view(self) -> JobView:
        """Return how the job stands now, also after its end.

        Raises:
            NoSuchJob: this run of the scheduler never gave out the id.
        """
        return next(self._client.jobs(self.id, scope="all"))

    @property
    def outcome(self) -> str | None:
        """How the job ended (``succeeded``, ``failed``, ...); None while it is live."""
        return self.view().outcome

    def wait(self, timeout: float | None = None) -> JobView:
        """Wait until the job is done, without polling, and return how it ended.

        Raises:
            NoAnswer: ``timeout`` seconds passed before it was done; it goes on.
        """
        if not self._client.wait([self.id], timeout=timeout):
            raise NoAnswer(f"job {self.id} is not done after {timeout:g} s")
        return self.view()
