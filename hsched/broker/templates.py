"""Plans of jobs that are alike: what they share is made once, and encoded once.  Pure."""

from __future__ import annotations

from typing import NamedTuple

from hsched.broker import job_environment, records
from hsched.broker.job_environment import Identity
from hsched.core.model import format_job_id
from hsched.native.plan import Own, Plan, encode_environment, encode_own, encode_shared
from hsched.wire.message import raw
from hsched.wire.submit import JobSpec


class Template(NamedTuple):
    """The plan of all jobs of one text, one environment and one working folder."""

    spec: JobSpec
    run_folder: str
    shared: bytes

    @classmethod
    def of(cls, plan: Plan, spec: JobSpec, who: Identity, run_folder: str) -> Template:
        """Return the template of jobs like that of ``who``, which has this ``plan``.

        Raises:
            ValueError: the plan holds a NUL byte.
        """
        own = _own_variables(spec, who)
        variables = {k: v for k, v in plan.environment.items() if k not in own}
        return cls(spec, run_folder, encode_environment(variables) + encode_shared(plan))

    def offer(self, who: Identity, promised: bool) -> bytes:
        """Return the plan of one of these jobs, for a shim that knows its slots."""
        own = Own(
            format_job_id(who.job_id),
            job_environment.streams(self.spec, who, self.run_folder),
            _own_variables(self.spec, who),
            records.name(who.job_id, who.attempt),
            promised,
        )
        return encode_own(own) + self.shared


def _own_variables(spec: JobSpec, who: Identity) -> dict[bytes, bytes]:
    chosen = spec.environment or {}
    variables = job_environment.id_variables(who).items()
    return {raw(name): raw(value) for name, value in variables if name not in chosen}
