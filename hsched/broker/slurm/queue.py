"""Looking at Slurm's queue: one call of squeue for all jobs of the user."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from hsched.broker import clock
from hsched.broker.slurm.commands import Answer
from hsched.slurm import answers
from hsched.slurm.answers import Seen, Tag

if TYPE_CHECKING:
    from hsched.broker.slurm.engine import SlurmEngine

_ARGV = ["squeue", "--noheader", "--array", "--states=all", f"--format={answers.QUEUE_FORMAT}"]


class Queue:
    """The jobs of one run, as squeue tells them; they are known by their comment."""

    def __init__(self, run_folder: str) -> None:
        self.run = hashlib.sha256(os.fsencode(run_folder)).hexdigest()[:16]

    def tag(self, number: int, attempt: int) -> str:
        """Return the comment of a job."""
        return str(Tag(self.run, number, attempt))

    def look(self, engine: SlurmEngine, then: Callable[[list[Seen], float], None]) -> None:
        """Ask squeue, and call ``then`` with what it says and how long that took."""
        began = clock.monotonic()

        def told(answer: Answer) -> None:
            if answer.status != 0:
                engine.failed(answers.words(answer.err))
                return
            then(list(answers.queue(answer.out, self.run)), clock.monotonic() - began)

        engine.ask([*_ARGV, f"--user={os.getuid()}"], told)
