"""The batch script of a job: a few assignments before ``batch.sh``."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from hsched.core.model import Allocation, Resource

#: Variables of the job that Slurm sets on the node; those of the submitter are another job's.
FROM_SLURM = (
    "CUDA_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
    "GPU_DEVICE_ORDINAL",
    "ZE_AFFINITY_MASK",
)


class Script(NamedTuple):
    """What the script of a job must know; see the head of ``batch.sh``."""

    folder: str
    number: int
    first: int
    retries: int
    retry_on: Sequence[int]
    shim: Sequence[str]
    keeps: Sequence[str]
    gpus: bool
    lease: str

    def text(self) -> str:
        """Return the script as sbatch takes it."""
        values = {
            "folder": self.folder,
            "number": str(self.number),
            "first": str(self.first),
            "retries": str(self.retries),
            "retry_on": f" {' '.join(map(str, self.retry_on))} " if self.retry_on else "",
            "shim": shlex.join(self.shim),
            "keeps": "|".join(self.keeps),
            "gpus": "yes" if self.gpus else "",
            "lease": self.lease,
        }
        lines = [f"{name}={shlex.quote(value)}" for name, value in values.items()]
        return "\n".join(["#!/bin/sh", *lines, _body()])


def lease(resources: Iterable[Resource], held: Allocation) -> str:
    """Return what a job holds as a hrun inside of it reads that: JSON, less the job's id."""
    amounts = zip(resources, held.amounts, strict=True)
    listed = [[one.name, amount, one.numbered, one.unit] for one, amount in amounts]
    return f"{json.dumps(listed)}, {json.dumps(held.slots)}"


def is_from_slurm(name: str) -> bool:
    """Whether Slurm sets the variable for each of its jobs."""
    return name in FROM_SLURM or name.startswith("SLURM")


@cache
def _body() -> str:
    path = os.path.join(os.path.dirname(__file__), "batch.sh")
    with open(path, encoding="utf-8") as file:
        return file.read()
