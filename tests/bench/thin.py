"""What a short command costs: the thin client, plain Python, and /bin/true beside them.

``python -m tests.bench.thin [--times N]`` starts a scheduler in a HOME of its own, and runs the
contenders in turn, so that whatever else the machine does meets all of them.
"""

from __future__ import annotations

import os
import statistics
import time

import click

from tests.e2e.shell import BIN, Shell

#: Name, words, and what HSCHED_THIN is.
CONTENDERS = (
    ("/bin/true", ("/bin/true",), "1"),
    ("hnslots, thin", (f"{BIN}/hnslots",), "1"),
    ("hstatus, thin", (f"{BIN}/hstatus",), "1"),
    ("hjobs ID, thin", (f"{BIN}/hjobs", "1"), "1"),
    ("hsubmit, thin", (f"{BIN}/hsubmit", "--hold", "1", "true"), "1"),
    ("hnslots, plain Python", (f"{BIN}/hnslots",), "0"),
    ("hsubmit, plain Python", (f"{BIN}/hsubmit", "--hold", "1", "true"), "0"),
)


def wall_ms(words: tuple[str, ...], environment: dict[str, str]) -> float:
    """Return how long a command takes, in milliseconds; its output goes nowhere."""
    silent = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    began = time.perf_counter()
    pid = os.posix_spawn(words[0], words, environment, file_actions=silent)
    status = os.waitpid(pid, 0)[1]
    if status:
        raise click.ClickException(f"{words[0]} ended with {status}")
    return (time.perf_counter() - began) * 1000


@click.command()
@click.option("--times", default=100, help="How often each of them runs.")
def main(times: int) -> None:
    """Print medians in milliseconds, and their ratios to /bin/true."""
    shell = Shell()
    del shell.env["PYTHONDONTWRITEBYTECODE"]  # with it, all is plain Python
    try:
        shell.ok("hstart", "1")
        shell.ok("hsubmit", "--hold", "1", "true")
        shell.until(lambda: list((shell.state / ".warm").glob("?" * 16)), "a warm process")
        found: dict[str, list[float]] = {name: [] for name, _, _ in CONTENDERS}
        for _ in range(times):
            for name, words, thin in CONTENDERS:
                found[name].append(wall_ms(words, {**shell.env, "HSCHED_THIN": thin}))
    finally:
        shell.close()
    reference = statistics.median(found["/bin/true"])
    for name, figures in found.items():
        median = statistics.median(figures)
        ratio = f"{median / reference:8.1f} x /bin/true"
        click.echo(f"{name:24}{median:8.2f} ms{ratio}{min(figures):8.2f} ms at best")


if __name__ == "__main__":
    main()
