"""``hsubmit``: queue a job and print its id, and nothing else."""

from __future__ import annotations

from typing import Any

import click

from hsched.cli import many, submission, times, words
from hsched.cli.common import option, put, reads, run, scheduler_option
from hsched.client import Client
from hsched.client.context import capture
from hsched.errors import WrongUsage
from hsched.wire.submit import JobSpec


@click.command(
    "hsubmit",
    cls=submission.Submit,
    options_metavar="[OPTIONS]",
    examples=(
        "hsubmit 2,1,8 python train.py --epochs 10",
        "hsubmit 0,0,0 'touch helloworld'",
        "dep=$(hsubmit 1 make) && hsubmit --dep afterok:$dep 1 make check",
        "hsubmit --time 2h --warn USR1@120 --retries 2 0,1 train",
        "hsubmit --begin 22:00 --priority -5 1 backup",
        "hsubmit --jobserver 6,0,8 make",
        "hsubmit --on-done 'notify-send \"job $HSCHED_DONE_ID $HSCHED_DONE_OUTCOME\"' 1 make",
        "ls *.log | hsubmit 1 --each - gzip {}",
        "hsubmit 1 --array 0-99%8 --out logs/%j.out ./simulate",
        "hsubmit 2 --min-devices 2 --memory-per-device 20G python train.py",
    ),
)
@click.argument("slots", metavar="SLOTS")
@click.argument("line", nargs=-1, metavar="[OPTIONS] [--] COMMAND [ARG]...")
@submission.DEPENDENCIES
@submission.ENVIRONMENT
@option("--in", "stdin", metavar="FILE", help="Standard input; by default /dev/null.")
@option(
    "-o", "--out", "stdout", metavar="FILE", help="Standard output; by default ID.out in the run."
)
@option(
    "-e",
    "--err",
    "-err",
    "stderr",
    metavar="FILE",
    help="Standard error; by default ID.err in the run.",
)
@option(
    "-a", "--append", is_flag=True, help="Append to the files of --out and --err, not truncate."
)
@submission.SHELL
@option(
    "--export",
    metavar="NAMES",
    default="ALL",
    callback=reads(words.exported),
    help="Take only these variables of the environment, with commas between them; NONE takes "
    "none, ALL takes all and is the default.",
)
@submission.priority()
@submission.HOLD
@submission.BEGIN
@submission.TIME
@submission.WARN
@option(
    "--retries",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Try it again up to N times when it fails.",
)
@option(
    "--retry-on",
    metavar="STATUS",
    default="",
    callback=reads(words.statuses),
    help="Retry only on these exit statuses, with commas between them; 128+N is signal N.",
)
@submission.JOB_NAME
@submission.LABEL
@submission.GRACE
@submission.LEAVE_CHILDREN
@submission.JOBSERVER
@submission.ON_DONE
@submission.min_devices()
@submission.MEMORY_PER_DEVICE
@submission.ENGINE_OPTION
@option("--requeue", is_flag=True, help="Start it again where a reboot took it away.")
@many.options
@scheduler_option
def command(
    scheduler: str | None,
    slots: str,
    line: tuple[str, ...],
    shell: str | None,
    export: tuple[str, ...] | None,
    warn: times.Ahead | None,
    **given: Any,
) -> None:
    """Queue COMMAND until SLOTS are free, and print its id.

    SLOTS is how much of each resource it holds, such as 2,1,8: a negative number means
    all there is, what is left out is 0. Options end at the first word of COMMAND. COMMAND
    runs exactly as typed; one word with blanks or shell characters in it is a shell line.
    With --each COMMAND may be left out: then each line of FILE is a shell line.
    """
    each, nul, graph, array = (given.pop(name) for name in ("each", "nul", "graph", "array"))
    if each is None and (nul or graph):
        option = "--null" if nul else "--graph"
        raise WrongUsage(f"{option} needs --each FILE, whose lines it is about")
    if each is not None and (array is not None or given["unique"] is not None):
        raise WrongUsage("--each goes neither with --array nor with --unique")
    argv: tuple[str, ...] = ()
    if each is None or line or shell is not None:
        argv, shell = words.argv_or_line(line, shell)
    if given["retry_on"] and not given["retries"]:
        raise WrongUsage("--retry-on needs --retries N, which says how often")
    given |= submission.warning_fields(warn, given["time_limit"])
    if array is not None:
        given |= {"array": array.indices, "array_limit": array.limit}
    given |= submission.memory_fields(given.pop("memory"))
    # The other options are called as the fields of JobSpec that they fill.
    spec = JobSpec(slots=slots, argv=argv, shell=shell, **given)
    if each is not None:
        _submit_each(scheduler, list(many.jobs(many.read_lines(each, nul), spec, graph)), export)
        return
    with Client(scheduler) as client:
        put([client.submit(spec, capture(export)).id])


def _submit_each(
    scheduler: str | None, specs: list[JobSpec], export: tuple[str, ...] | None
) -> None:
    if not specs:
        click.echo("hsubmit: no line was given, and no job queued", err=True)
        return
    with Client(scheduler) as client:
        put(job.id for job in client.submit_batch(specs, capture(export)))


def main() -> None:
    """Be the program."""
    run(command)
