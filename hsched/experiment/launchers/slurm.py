"""Tasks as jobs of a Slurm cluster: ``NAME.sh`` for sbatch, and the job that waits for it.

The scheduler of this machine holds a job without slots for each task, so dependencies,
retries and what `hjobs` shows are the same; that job runs ``NAME.wait.sh``, which submits
``NAME.sh``, waits for its end, and cancels it when it is told to end itself.
"""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from hsched.errors import WrongUsage
from hsched.experiment import files
from hsched.experiment.connectors import Connector
from hsched.experiment.launchers.launcher import Launcher

if TYPE_CHECKING:
    from hsched.experiment.jobs import Job


class SlurmOptions(NamedTuple):
    """What sbatch is told: ``gpus_per_node=2`` is ``--gpus-per-node=2``."""

    nodes: int | None = 1
    time: str | None = None
    account: str | None = None
    qos: str | None = None
    partition: str | None = None
    constraint: str | None = None
    mem: str | None = None
    exclude: str | None = None
    mem_per_gpu: str | None = None
    cpus_per_task: int | None = None
    nodelist: str | None = None
    ntasks_per_node: int | None = None
    gpus: int | None = None
    gpus_per_node: int | None = None

    def arguments(self) -> list[str]:
        """Return the options as sbatch takes them."""
        given = self._asdict().items()
        return [f"--{name.replace('_', '-')}={value}" for name, value in given if value is not None]

    def merged(self, options: dict[str, Any]) -> SlurmOptions:
        """Return these options with others in their place.

        Raises:
            WrongUsage: there is no such option.
        """
        for name in options:
            if name not in self._fields:
                raise WrongUsage(f"Slurm: no option `{name}`; there are {', '.join(self._fields)}")
        return self._replace(**options)


class SlurmLauncher(Launcher):
    """Gives tasks to Slurm; ``binpath`` is where sbatch, srun and scancel are."""

    def __init__(
        self,
        connector: Connector | None = None,
        *,
        options: SlurmOptions | None = None,
        interval: float = 10,
        binpath: str = "/usr/bin",
        **others: Any,
    ) -> None:
        """Make a launcher; ``interval`` is how often Slurm is asked, in seconds."""
        super().__init__(connector, **{"slots": "0", **others})
        self.options = options or SlurmOptions()
        self.interval = interval
        self.binpath = binpath

    def config(self, **options: Any) -> SlurmLauncher:
        """Return a launcher like this one with other options: ``config(gpus=2, mem="16G")``.

        Raises:
            WrongUsage: there is no such option.
        """
        made = SlurmLauncher(
            self.connector,
            options=self.options.merged(options),
            interval=self.interval,
            binpath=self.binpath,
            priority=self.priority,
            scheduler=self.scheduler,
        )
        made.environ = dict(self.environ)
        return made

    def command(self, job: Job) -> tuple[str, ...]:
        """Return the words that wait for the job of Slurm."""
        return ("/bin/sh", str(job.path / f"{job.name}.wait.sh"))

    def prepare(self, job: Job) -> None:
        """Write ``NAME.sh`` and the script that waits for it."""
        (job.path / "__xpm__").mkdir(exist_ok=True)
        files.write_whole(job.path / f"{job.name}.sh", self.script(job), 0o777)
        files.write_whole(job.path / f"{job.name}.wait.sh", self._waiting(job), 0o777)

    def script(self, job: Job) -> str:
        """Return ``NAME.sh``: the options as ``#SBATCH`` lines, then the task under srun."""
        options = [
            f"--job-name={job.name}",
            f"--chdir={job.path}",
            f"--output={job.stdout}",
            f"--error={job.stderr}",
            "--open-mode=append",
            *self.options.arguments(),
        ]
        lines = ["#!/bin/sh", *(f"#SBATCH {_quoted(option)}" for option in options)]
        exports = [f"export {name}={shlex.quote(v)}" for name, v in sorted(job.environ.items())]
        srun = shlex.quote(os.path.join(self.binpath, "srun"))
        return "\n".join([*lines, *exports, f"exec {srun} ./{shlex.quote(job.script.name)}", ""])

    def _waiting(self, job: Job) -> str:
        def _program(name: str) -> str:
            return shlex.quote(os.path.join(self.binpath, name))

        return _WAITING.format(
            sbatch=_program("sbatch"),
            squeue=_program("squeue"),
            scancel=_program("scancel"),
            script=shlex.quote(str(job.path / f"{job.name}.sh")),
            id_file=shlex.quote(str(job.path / "__xpm__" / "slurm_id")),
            done=shlex.quote(str(job.done_path)),
            interval=f"{self.interval:g}",
        )


#: Goes on with a job of Slurm that an earlier one of us has left.
_WAITING = """\
#!/bin/sh
# Submits the task to Slurm, waits for its end, and cancels it when we are told to end.
id=$(cat {id_file} 2>/dev/null)
if [ -z "$id" ] || [ -z "$({squeue} --jobs="$id" --noheader --format=%i 2>/dev/null)" ]; then
    id=$({sbatch} --parsable {script}) || exit 1
    id=${{id%%;*}}
    echo "$id" >{id_file}.tmp && mv {id_file}.tmp {id_file}
fi
trap '{scancel} "$id"; exit 143' TERM INT
while [ -n "$({squeue} --jobs="$id" --noheader --format=%i 2>/dev/null)" ]; do
    sleep {interval} &
    wait $!
done
[ -e {done} ]
"""


def _quoted(option: str) -> str:
    name, equals, value = option.partition("=")
    return name + equals + (shlex.quote(value) if equals else "")
