"""What can be imported from `hsched.experiment`, and what that costs."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import hsched.experiment

PROMISED = ["Config", "Task", "ResumableTask", "LightweightTask", "Param", "Meta", "Option"]
PROMISED += ["Constant", "Annotated", "field", "PathGenerator", "pathgenerator", "cache"]
PROMISED += ["SubmitHook", "submit_hook_decorator", "Job", "Launcher", "GracefulTimeout"]
PROMISED += ["TaskCancelled", "DependentMarker", "tag", "tags", "experiment", "progress", "tqdm"]

#: What neither a driver that describes tasks nor a task's process needs.
SLOW = {"asyncio", "dataclasses", "inspect", "logging", "multiprocessing", "psutil", "rich"}
SLOW |= {"subprocess", "yaml", "zmq", "hsched.broker", "hsched.cli", "importlib.metadata"}


@pytest.mark.parametrize("name", PROMISED)
def test_a_name_is_where_it_is_promised(name: str) -> None:
    assert name in hsched.experiment.__all__
    assert getattr(hsched.experiment, name) is not None


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("core.types", "SubmitHook"),
        ("core.types", "DependentMarker"),
        ("scheduler.jobs", "Job"),
        ("launchers", "Launcher"),
        ("generators", "PathGenerator"),
    ],
)
def test_the_longer_paths_lead_to_the_same(module: str, name: str) -> None:
    found = importlib.import_module(f"hsched.experiment.{module}")
    assert getattr(found, name) is getattr(hsched.experiment, name)


def test_no_module_hides_a_name() -> None:
    modules = {one.name for one in pkgutil.iter_modules(hsched.experiment.__path__)}
    assert not modules & set(hsched.experiment.__all__)


def test_every_name_is_there() -> None:
    for name in hsched.experiment.__all__:
        assert getattr(hsched.experiment, name, None) is not None, name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = hsched.experiment.nothing


def test_type_checkers_are_told_of_every_name() -> None:
    source = Path(hsched.experiment.__file__).read_text()
    missing = [name for name in hsched.experiment.__all__ if f" as {name}\n" not in source]
    assert set(missing) <= {"Any", "Path"}


def imported(code: str) -> set[str]:
    """Return the modules that a process has imported after some code."""
    command = [sys.executable, "-S", "-c", f"import sys\nsys.path[:0] = {sys.path!r}\n{code}\n"]
    command[-1] += "print(*sys.modules)"
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_it_imports_nothing_yet() -> None:
    ours = {name for name in imported("import hsched.experiment") if name.startswith("hsched")}
    assert ours == {"hsched", "hsched.experiment"}


def test_describing_a_task_imports_nothing_slow() -> None:
    code = """
from hsched.experiment import Config, Task, Param, Meta, PathGenerator, field, tag
class T(Task):
    x: Param[int] = 1
T.C(x=tag(2)).__identifier__()
"""
    assert not SLOW & imported(code)


STUDY = """
from hsched.experiment import Config, Meta, Param, Path, PathGenerator, Task, field

class Part(Config):
    x: Param[int] = 1

class Study(Task):
    part: Param[Part]
    file: Meta[Path] = field(default_factory=PathGenerator("file"))

    def execute(self):
        self.file.write_text(str(self.part.x))
"""

DESCRIBE = """
from pathlib import Path
from hsched.experiment import params
from hsched.experiment.sealing import Context, seal
from study import Part, Study
task = Study.C(part=Part.C(x=3))
seal(task, Context(Path({folder!r})))
Path({folder!r}, "params.json").write_text(params.text(task))
"""

EXECUTE = """
import json
from pathlib import Path
from hsched.experiment import params
data = json.loads(Path({folder!r}, "params.json").read_text())
folder = Path({folder!r}, data["folder"])
params.read(data, folder).execute()
assert (folder / "file").read_text() == "3"
"""


def test_a_task_imports_nothing_of_what_describes_tasks(tmp_path: Path) -> None:
    (tmp_path / "study.py").write_text(STUDY)
    beginning = f"sys.path.insert(0, {str(tmp_path)!r})\n"
    describing = {"schema", "annotations", "kinds", "identity", "configuration", "writing"}
    describing = {f"hsched.experiment.{name}" for name in describing}
    assert describing <= imported(beginning + DESCRIBE.format(folder=str(tmp_path)))
    modules = imported(beginning + EXECUTE.format(folder=str(tmp_path)))
    assert not (describing | SLOW | {"hashlib", "threading"}) & modules
