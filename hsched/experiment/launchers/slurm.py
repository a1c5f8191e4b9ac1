"""Tasks as jobs of a Slurm cluster.

At a scheduler whose jobs Slurm runs (``hstart --engine slurm``), the options of a launcher
go to its sbatch, job by job.  The scheduler of a machine holds a job without slots for each
task, so dependencies, retries and what `hjobs` shows are the same; that job runs
``NAME.wait.sh``, which submits ``NAME.sh``, waits for its end, and cancels it when it is
told to end itself.
"""

from __future__ import annotations

import copy
import os
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from hsched.errors import WrongUsage
from hsched.experiment import files
from hsched.experiment.connectors import Connector
from hsched.experiment.launchers.launcher import Launcher
from hsched.slurm.options import of_keywords

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

    def words(self) -> tuple[str, ...]:
        """Return the options as ``hsubmit --engine-option`` takes them: ``gpus=2``.

        Raises:
            WrongUsage: a value is none that sbatch could take.
        """
        return tuple(f"{name}={value}" for name, value in of_keywords(self._asdict()).items())

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
    """Gives tasks to Slurm.

    ``binpath``, where sbatch, srun and scancel are, and ``interval`` are for a scheduler
    that runs its jobs itself.  A task holds no slots unless it or the launcher says so: what
    it needs is in ``options``.  Where it does, ``slots="4,1"`` wins over ``cpus_per_task``.
    """

    def __init__(
        self,
        connector: Connector | None = None,
        *,
        options: SlurmOptions | None = None,
        interval: float = 10,
        binpath: str = "/usr/bin",
        **others: Any,
    ) -> None:
        """Make a launcher; ``interval`` is how often Slurm is asked, in seconds.

        Raises:
            WrongUsage: an option is none that sbatch could take.
        """
        super().__init__(connector, **{"slots": "0", **others})
        self.options = options or SlurmOptions()
        self.options.words()  # an option that is wrong is said where it stands
        self.interval = interval
        self.binpath = binpath

    def config(self, **options: Any) -> SlurmLauncher:
        """Return a launcher like this one with other options: ``config(gpus=2, mem="16G")``.

        Raises:
            WrongUsage: there is no such option.
        """
        made = copy.copy(self)
        made.options = self.options.merged(options)
        made.options.words()
        made.environ = dict(self.environ)
        return made

    def engine_options(self, job: Job) -> tuple[str, ...]:
        """Return what sbatch is told of ``job`` besides its slots, where the scheduler runs it."""
        return self.options.words() if job.engine == "slurm" else ()

    def command(self, job: Job) -> tuple[str, ...]:
        """Return the words that wait for the job of Slurm; the task's own where it is that job."""
        if job.engine == "slurm":
            return super().command(job)
        return ("/bin/sh", str(job.path / f"{job.name}.wait.sh"))

    def prepare(self, job: Job) -> None:
        """Write ``NAME.sh``, and the script that waits for it where one is needed."""
        (job.path / "__xpm__").mkdir(exist_ok=True)
        files.write_whole(job.path / f"{job.name}.sh", self.script(job), 0o777)
        if job.engine != "slurm":
            files.write_whole(job.path / f"{job.name}.wait.sh", self._waiting(job), 0o777)

    def script(self, job: Job) -> str:
        """Return ``NAME.sh``: the options as ``#SBATCH`` lines, then the task under srun."""
        options = [
            f"--job-name={job.name}",
            f"--chdir={job.path}",
            f"--output={job.stdout}",
            f"--error={job.stderr}",
            "--open-mode=append",
            *(f"--{word}" for word in self.options.words()),
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
