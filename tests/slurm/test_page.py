"""docs/slurm.md tells the truth: its session is run, and its output is what it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.shell import Shell

PAGE = (Path(__file__).parents[2] / "docs" / "slurm.md").read_text()


@pytest.mark.slow
def test_the_commands_print_what_the_page_says(shell: Shell) -> None:
    blocks = "".join(re.findall(r"^```console\n(.*?)^```", PAGE, re.M | re.S))
    commands = [line[2:] for line in blocks.splitlines() if line.startswith("$ ")]
    script = "\n".join(f"cat <<'.'\n$ {line}\n.\n{line}" for line in commands)
    shown = shell.run("/bin/sh", "-c", f"exec 2>&1\n{script}\n").stdout
    assert shown.replace("GPU 1", "GPU 0") == blocks
    # Others of its words: each option that it names in a command is one.
    for command, option in re.findall(r"`(h[a-z]+)[^`]* (--[a-z-]+)", PAGE):
        assert option in shell.ok(command, "--help"), (command, option)
