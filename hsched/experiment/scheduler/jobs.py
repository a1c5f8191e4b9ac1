"""`Job` and its states, under the path that submit hooks import it by."""

from __future__ import annotations

from hsched.experiment.endings import Failure
from hsched.experiment.jobs import Job, JobState

__all__ = ["Failure", "Job", "JobState"]
