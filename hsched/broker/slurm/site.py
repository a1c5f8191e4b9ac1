"""What ``hstart --engine slurm`` asks before it begins: is there a Slurm, and what has it?"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

from hsched.broker.slurm.commands import environment
from hsched.core.model import Resource
from hsched.errors import HschedError, Refused
from hsched.slurm import answers, options, table

_PATIENCE_S = 40.0
_PROGRAMS = ("sbatch", "squeue", "scancel", "scontrol", "sinfo")
_GPUS = re.compile(r"gpu(?::[^:,()]+)?:(\d+)")


def check_programs() -> None:
    """Check that Slurm's commands are there.

    Raises:
        Refused: one is not on the path.
    """
    for program in _PROGRAMS:
        if shutil.which(program) is None:
            raise Refused(
                f"no `{program}` on PATH; `--engine slurm` needs Slurm's commands: "
                "install them, or load the site's module"
            )


def default_spec(site: Mapping[str, str]) -> str:
    """Return the SPEC of the largest job that fits one node: of each resource the most there is.

    Raises:
        Refused: no controller answers, or it knows no such partition.
    """
    partition = [f"--partition={site['partition']}"] if "partition" in site else []
    said = _ask(["sinfo", "--noheader", "--Node", *partition, "--format=%c|%m|%G"])
    nodes = [line.split("|", 2) for line in said.splitlines() if line.count("|") >= 2]
    if not nodes:
        raise Refused("Slurm has no nodes there; see `sinfo`, or say SPEC")
    cores, memory = (max(int(re.sub(r"\D", "", n[field])) for n in nodes) for field in (0, 1))
    gpus = max(sum(map(int, _GPUS.findall(node[2]))) for node in nodes)
    return f"cores={cores}," + (f"gpus={gpus}," if gpus else "") + f"mem={memory}M"


def check(site: Mapping[str, str], resources: tuple[Resource, ...]) -> dict[str, str]:
    """Check options and resources; return which of the latter are gres, and which licenses.

    Raises:
        Refused: no controller answers, there is no such partition or account, or a
            resource is nothing that the site has.
    """
    _check_options(site)
    wanted = table.unknown(resources)
    if not wanted:
        return {}
    licenses = re.findall(r"LicenseName=(\S+)", _ask(["scontrol", "show", "licenses"]))
    listed = re.search(r"GresTypes\s*=\s*(\S+)", _ask(["scontrol", "show", "config"]))
    gres = listed[1].split(",") if listed and listed[1] != "(null)" else []
    found = {}
    for name in wanted:
        if name not in gres and name not in licenses:
            have = ", ".join(["cores", "gpus", "mem", *gres, *licenses])
            raise Refused(
                f"resource `{name}` has no counterpart in this Slurm: it is neither a gres nor a "
                f"license there; there are {have}"
            )
        found[name] = table.GRES if name in gres else table.LICENSE
    return found


def settled(said: dict[str, Any], resources: tuple[Resource, ...]) -> dict[str, Any]:
    """Return the options of a new run, with what was found out of the site.

    Raises:
        Refused: as :func:`check`.
    """
    site = said.get("engine_options", {})
    return {**said, "engine_resources": check(site, resources)}


def _check_options(site: Mapping[str, str]) -> None:
    _ask(["squeue", "--noheader", "--jobs=1"], may_fail=r"nvalid job id")
    words = options.arguments(site)
    # Whether a job could start now is no matter; whether the words mean anything is.
    try:
        _ask(["sbatch", "--test-only", *words, "--wrap=true"])
    except Refused as error:
        if re.search(r"nvalid|unrecognized|ambiguous", str(error)):
            raise


def _ask(argv: list[str], may_fail: str = "^$") -> str:
    try:
        done = subprocess.run(
            argv,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise HschedError(f"Slurm: `{argv[0]}` did not answer in {_PATIENCE_S:g} s") from error
    complaint = answers.words(done.stderr)
    if done.returncode and not re.search(may_fail, complaint):
        what = "no Slurm controller answers" if answers.is_temporary(complaint) else "Slurm"
        raise Refused(f"{what}: {complaint}")
    return done.stdout
