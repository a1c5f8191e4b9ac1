"""Type checkers, and so editors, understand configurations as their users write them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

#: What is expected of a line stands at its end: an error code, or a type that is revealed.
STUDY = """\
from pathlib import Path
from typing import Any
from hsched.experiment import (
    Annotated, Choices, Config, Constant, DataPath, DependentMarker, LightweightTask, Meta, Option,
    Param, PathGenerator, ResumableTask, Task, copyconfig, field, partial, param_group, tag, tags,
)

class Model(Config):
    size: Param[int]
    name: Param[str] = "plain"
    kind: Param[Annotated[str, Choices(["a", "b"])]] = "a"
    depth: Option[int] = field(default=3, ignore_default=True)
    layers: Param[list[int]] = field(default_factory=list)
    weights: Meta[Path] = field(default_factory=PathGenerator("weights"))
    version: Constant[int] = 2
    data: DataPath = Path("x")

class Large(Model):
    extra: Param[bool]

class Learn(ResumableTask):
    model: Param[Model]
    rate: Param[float] = 0.1
    previous: Param["Learn | None"] = None
    group = param_group("g")
    checkpoints = partial(exclude_groups=[group])

    def task_outputs(self, dep: DependentMarker) -> Model:
        return dep(copyconfig(self.model, size=3))

    def execute(self) -> None:
        reveal_type(self.model.size)  # int
        reveal_type(self.weights)  # attr-defined
        reveal_type(self.remaining_time())  # float | None
        reveal_type(self.__taskdir__)  # Path

class Load(LightweightTask):
    path: Meta[Path]

reveal_type(Model.C(size=3))  # Model
reveal_type(Model(size=3))  # Model
reveal_type(Learn.C(model=Large.C(size=1, extra=True), rate=tag(0.5)).model.kind)  # str
reveal_type(Model.C(size=1).layers)  # list[int]
reveal_type(Model.C(size=1).copy())  # Model
reveal_type(Model.C(size=1).tag("a", 1))  # Model
reveal_type(Model.C(size=1).instance())  # Model
reveal_type(tags(Model.C(size=1)))  # TagDict
Model.C()  # call-arg
Model.C(size="3")  # arg-type
Model.C(3)  # call-arg
Model.C(size=3, zz=1)  # call-arg
Learn.C(model=Load.C(path=Path()))  # arg-type
Model.C(size=1).zz  # attr-defined
Model.C(size=1).size = "a"  # assignment
Learn.C(model=Model.C(size=1)).submit(init_tasks=[Load.C(path=Path())], slots="2,1", time="2h")
"""


def test_mypy_understands_what_users_write(tmp_path: Path) -> None:
    study = tmp_path / "study.py"
    study.write_text(STUDY)
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", str(study)]
    command += ["--config-file=", "--show-error-codes", "--no-error-summary"]
    command += ["--python-version=3.10", f"--cache-dir={tmp_path / 'cache'}"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"MYPYPATH": str(root)},
    )
    said: dict[int, str] = {}
    for line in done.stdout.splitlines():
        found = re.match(r"study\.py:(\d+): (?:error|note): (.*)", line)
        assert found, done.stdout + done.stderr
        revealed = re.search(r'Revealed type is "(.*)"', found[2])
        code = re.search(r"\[([a-z-]+)\]$", found[2])
        said.setdefault(int(found[1]), _short(revealed[1]) if revealed else code[1] if code else "")
    expected = {
        number: line.partition("  # ")[2]
        for number, line in enumerate(STUDY.splitlines(), 1)
        if "  # " in line
    }
    assert said == expected


def _short(revealed: str) -> str:
    """Return a type without the modules of its names."""
    return re.sub(r"(?:\w+\.)+(\w+)", r"\1", revealed)
