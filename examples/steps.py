"""The steps of the example pipeline: pack the standard library of this Python, and check it.

    steps.py compile|pack OUT K     byte-compile, then compress, the Kth shard of the library
    steps.py digest OUT K           say which GPU was given, and digest every second shard
    steps.py index OUT              hold all shards in memory at once and count what is in them
    steps.py verify OUT             compare every file with the library, and print totals
    steps.py wait ID                wait for a job and show what it printed
    steps.py report                 draw what `hjobs --all --json` tells on standard input

The library is only read.  OUT is a folder for the results.
"""

from __future__ import annotations

import hashlib
import json
import marshal
import os
import py_compile
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

SHARDS = 6
LIBRARY = Path(sysconfig.get_paths()["stdlib"])
#: Not part of what an installation always has, or wrong on purpose.
LEFT_OUT = {"__pycache__", "dist-packages", "lib2to3", "site-packages", "test", "tests"}
#: A compiled file begins with this many bytes that are no code.
PYC_HEADER = 16
BAR = 40


def library(shard: int | None = None) -> list[Path]:
    """Return the source files, all of them or those of one shard."""
    files = []
    for folder, folders, names in os.walk(LIBRARY):
        folders[:] = sorted(set(folders) - LEFT_OUT)
        files += [Path(folder, name) for name in sorted(names) if name.endswith(".py")]
    return files if shard is None else files[shard::SHARDS]


def compile_shard(out: Path, shard: int) -> None:
    """Write a compiled file for each source of the shard."""
    for source in library(shard):
        target = compiled(out, source)
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(str(source), str(target), doraise=True, invalidation_mode=mode)
    print(f"shard {shard}: compiled {len(library(shard))} files")


def compiled(out: Path, source: Path) -> Path:
    """Return where the compiled form of ``source`` goes."""
    return out / "compiled" / source.relative_to(LIBRARY).with_suffix(".pyc")


def pack_shard(out: Path, shard: int) -> None:
    """Compress the sources of the shard and their compiled forms into one file."""
    with zipfile.ZipFile(out / f"shard-{shard}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for source in library(shard):
            name = str(source.relative_to(LIBRARY))
            archive.write(source, name)
            archive.write(compiled(out, source), name + "c")
    print(f"shard {shard}: packed into {(out / f'shard-{shard}.zip').stat().st_size:,} bytes")


def digest(out: Path, half: int) -> None:
    """Digest every second shard, on the GPU that the scheduler chose, or would be."""
    print(f"CUDA_VISIBLE_DEVICES={os.environ['CUDA_VISIBLE_DEVICES']}")
    found = {
        name: hashlib.sha256(content).hexdigest()
        for shard in range(half, SHARDS, 2)
        for name, content in contents(out, shard)
    }
    (out / f"digests-{half}.json").write_text(json.dumps(found))
    print(f"digested {len(found)} files")


def contents(out: Path, shard: int) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a packed shard."""
    with zipfile.ZipFile(out / f"shard-{shard}.zip") as archive:
        for name in archive.namelist():
            yield name, archive.read(name)


def index(out: Path) -> None:
    """Hold everything in memory, and count lines and bytes."""
    everything = {name: data for k in range(SHARDS) for name, data in contents(out, k)}
    lines = sum(data.count(b"\n") for name, data in everything.items() if name.endswith(".py"))
    totals = {"lines": lines, "bytes": sum(map(len, everything.values()))}
    (out / "totals.json").write_text(json.dumps(totals))
    print(f"held {totals['bytes']:,} bytes in memory")


def verify(out: Path) -> None:
    """Compare every packed file with the library; anything missing or wrong ends it."""
    packed = {name: data for k in range(SHARDS) for name, data in contents(out, k)}
    digests = {k: v for half in (0, 1) for k, v in read_json(out / f"digests-{half}.json").items()}
    for source in library():
        name = str(source.relative_to(LIBRARY))
        check(packed[name] == source.read_bytes(), f"{name} differs from the library")
        marshal.loads(packed[name + "c"][PYC_HEADER:])
    for name, data in packed.items():
        check(digests.pop(name) == hashlib.sha256(data).hexdigest(), f"{name}: wrong digest")
    check(len(packed) == 2 * len(library()) and not digests, "there are files too many")
    totals = read_json(out / "totals.json")
    check(totals["bytes"] == sum(map(len, packed.values())), "the totals are wrong")
    print(f"verified {len(packed):,} files, {totals['bytes']:,} bytes, {totals['lines']:,} lines")


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a file."""
    return dict(json.loads(path.read_text()))


def check(holds: bool, otherwise: str) -> None:
    """End with status 1 unless it holds."""
    if not holds:
        raise SystemExit(f"steps.py: {otherwise}")


def wait(identity: str) -> None:
    """Wait for a job and show what it printed, or what went wrong before it."""
    from hsched import Client, Job  # the other steps are jobs, and need nothing of hsched

    with Client() as client:
        if Job(client, identity).wait().outcome == "succeeded":
            print(printed(Job(client, identity).view().out), end="")
            return
        for job in client.jobs(scope="failed"):
            print(f"job {job.id} {job.name}: {job.outcome}: {job.reason}\n{printed(job.err)}")
    raise SystemExit(1)


def printed(path: str | None) -> str:
    """Return what a job wrote to a file, if it came to that."""
    return Path(path).read_text() if path and os.path.exists(path) else ""


def report() -> None:
    """Draw which job held what, and when."""
    jobs = json.load(sys.stdin)
    begin = min(moment(job["started_at"]) for job in jobs)
    scale = BAR / max(moment(job["ended_at"]) - begin for job in jobs)
    for job in jobs:
        start = moment(job["started_at"]) - begin
        end = moment(job["ended_at"]) - begin
        bar = "#" * max(1, round((end - start) * scale))
        drawn = (" " * min(BAR - 1, int(start * scale)) + bar)[:BAR]
        print(
            f"{job['id']:>3} {job['name']:<10} {held(job):<32}{start:6.2f} -{end:6.2f} s |{drawn}"
        )
    bad = [job["id"] for job in jobs if job["outcome"] != "succeeded"]
    check(not bad, f"jobs {', '.join(bad)} did not succeed")


def moment(stamp: str) -> float:
    """Return a time in seconds."""
    return datetime.fromisoformat(stamp).timestamp()


def held(job: dict[str, Any]) -> str:
    """Return which slots a job held: ``cores 0-1 gpus 0 mem 0-7``."""
    got = {name: held["slots"] for name, held in job["allocation"].items() if held["slots"]}
    return " ".join(f"{name} {','.join(ranges(slots))}" for name, slots in got.items())


def ranges(slots: list[int]) -> Iterator[str]:
    """Yield ``0-1`` and ``5`` for 0, 1, 5."""
    for first in (one for one in slots if one - 1 not in slots):
        last = first
        while last + 1 in slots:
            last += 1
        yield str(first) if first == last else f"{first}-{last}"


def main() -> None:
    """Do one step."""
    step, *words = sys.argv[1:]
    if step == "wait":
        wait(words[0])
    elif step == "report":
        report()
    else:
        steps = {"index": index, "verify": verify}
        sharded = {"compile": compile_shard, "pack": pack_shard, "digest": digest}
        if step in sharded:
            sharded[step](Path(words[0]), int(words[1]))
        else:
            steps[step](Path(words[0]))


if __name__ == "__main__":
    main()
