"""``hsubmit``: queue a job and print its id, and nothing else."""

from __future__ import annotations

import time
from typing import Any

import click

from hsched.cli import many, times, words
from hsched.cli.common import Command, put, reads, run, scheduler_option
from hsched.client import Client
from hsched.client.context import capture
from hsched.errors import WrongUsage
from hsched.wire.submit import JobSpec


class Submit(Command):
    """Options may stand before and after SLOTS, and end where COMMAND begins."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Part ``args`` at SLOTS and COMMAND, and let click read the options."""
        typed = words.split_submission(args, self._takes_value(ctx))
        operands = [] if typed.slots is None else ["--", typed.slots, *typed.command]
        return super().parse_args(ctx, [*typed.options, *operands])

    def _takes_value(self, ctx: click.Context) -> dict[str, bool]:
        options = [one for one in self.get_params(ctx) if isinstance(one, click.Option)]
        return {name: not one.is_flag for one in options for name in one.opts}


def _memory(word: str) -> tuple[int, float]:
    from hsched.core.spec import parse_memory  # slow to import, and needed here alone

    return parse_memory(word)


@click.command(
    "hsubmit",
    cls=Submit,
    options_metavar="[OPTIONS]",
    examples=(
        "hsubmit 2,1,8 python train.py --epochs 10",
        "hsubmit 0,0,0 'touch helloworld'",
        "dep=$(hsubmit 1 make) && hsubmit --dep afterok:$dep 1 make check",
        "hsubmit --time 2h --warn USR1@120 --retries 2 0,1 train",
        "hsubmit --begin 22:00 --priority -5 1 backup",
        "ls *.log | hsubmit 1 --each - gzip {}",
        "hsubmit 1 --array 0-99%8 --out logs/%j.out ./simulate",
        "hsubmit 2 --min-devices 2 --memory-per-device 20G python train.py",
    ),
)
@click.argument("slots", metavar="SLOTS")
@click.argument("line", nargs=-1, metavar="[OPTIONS] [--] COMMAND [ARG]...")
@click.option(
    "-d",
    "--dep",
    "dependencies",
    multiple=True,
    metavar="ID",
    callback=reads(words.dependencies),
    help="Wait for these jobs, with commas between them; repeatable. ID alone waits for the "
    "job's end, afterok:ID for its success, afternotok:ID for its failure, after:ID for its "
    "start. A condition also holds for the ids that follow it. ID may be last or last~2, and "
    "name:NAME or label:WORD for all live jobs that are called so.",
)
@click.option(
    "-v",
    "--env",
    "--var",
    "environment",
    multiple=True,
    metavar="NAME=VALUE",
    callback=reads(words.environment),
    help="Set a variable in the job's environment; repeatable.",
)
@click.option("--in", "stdin", metavar="FILE", help="Standard input; by default /dev/null.")
@click.option(
    "-o", "--out", "stdout", metavar="FILE", help="Standard output; by default ID.out in the run."
)
@click.option(
    "-e",
    "--err",
    "-err",
    "stderr",
    metavar="FILE",
    help="Standard error; by default ID.err in the run.",
)
@click.option(
    "-a", "--append", is_flag=True, help="Append to the files of --out and --err, not truncate."
)
@click.option(
    "-c", "--shell", "shell", metavar="LINE", help="Run LINE by /bin/sh -c, in place of COMMAND."
)
@click.option(
    "--export",
    metavar="NAMES",
    default="ALL",
    callback=reads(words.exported),
    help="Take only these variables of the environment, with commas between them; NONE takes "
    "none, ALL takes all and is the default.",
)
@click.option(
    "--priority",
    type=int,
    default=0,
    metavar="N",
    help="Larger starts earlier; by default 0, and jobs of equal priority go by their ids.",
)
@click.option("--hold", is_flag=True, help="Queue it held: it waits for `hrelease`.")
@click.option(
    "--begin",
    "begin_at",
    metavar="TIME",
    callback=reads(lambda word: times.moment(word, time.time())),
    help="Start it no earlier than TIME: 14:30, 2026-11-21, 2026-11-21T14:30 or +2h.",
)
@click.option(
    "--time",
    "time_limit",
    metavar="DURATION",
    callback=reads(times.limit),
    help="Longest run: seconds, 90s, 2h, 1h30m, 1:30:00 or 2-12 (days-hours). Then it is ended.",
)
@click.option(
    "--warn",
    metavar="SIGNAL@TIME",
    callback=reads(times.warning),
    help="Send SIGNAL that long before the time limit, such as USR1@120.",
)
@click.option(
    "--retries",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Try it again up to N times when it fails.",
)
@click.option(
    "--retry-on",
    metavar="STATUS",
    default="",
    callback=reads(words.statuses),
    help="Retry only on these exit statuses, with commas between them; 128+N is signal N.",
)
@click.option("--job-name", "name", metavar="NAME", help="Name the job.")
@click.option("--label", "labels", multiple=True, metavar="WORD", help="Label it; repeatable.")
@click.option(
    "--grace",
    metavar="SECONDS",
    default="5",
    callback=reads(words.seconds),
    help="Time between TERM and KILL when the job is ended; by default 5.",
)
@click.option(
    "--leave-children",
    is_flag=True,
    help="Let processes that outlive the job's first one go on; its slots are free.",
)
@click.option(
    "--min-devices",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="N different GPUs: with --memory-per-device shared ones, else whole ones.",
)
@click.option(
    "--memory-per-device",
    "memory",
    metavar="SIZE",
    callback=reads(_memory),
    help="Share each GPU with others, and claim SIZE of its memory: 20G, a number of MiB such "
    "as 20000, or a part such as 0.5. Without --min-devices that is one GPU; where there is "
    "none, the machine itself is the device.",
)
@click.option("--requeue", is_flag=True, help="Start it again where a reboot took it away.")
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
    memory = given.pop("memory")
    if each is None and (nul or graph):
        raise WrongUsage(f"{'--null' if nul else '--graph'} needs --each")
    if each is not None and (array is not None or given["unique"] is not None):
        raise WrongUsage("--each goes neither with --array nor with --unique")
    argv: tuple[str, ...] = ()
    if each is None or line or shell is not None:
        argv, shell = words.argv_or_line(line, shell)
    if given["retry_on"] and not given["retries"]:
        raise WrongUsage("--retry-on needs --retries")
    if warn is not None:
        if given["time_limit"] is None:
            raise WrongUsage("--warn needs --time")
        given |= {"warn_signal": warn.signal, "warn_before": warn.before_s}
    if array is not None:
        given |= {"array": array.indices, "array_limit": array.limit}
    if memory is not None:
        given |= {"device_memory": memory[0], "device_share": memory[1]}
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
