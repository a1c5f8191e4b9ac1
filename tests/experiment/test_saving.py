"""Configurations on disk, and back as what they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hsched.experiment import (
    Config,
    DataPath,
    Meta,
    OptionalDataPath,
    Param,
    PathGenerator,
    Task,
    deserialize,
    field,
    from_state_dict,
    from_task_dir,
    load,
    params,
    save,
    setmeta,
    state_dict,
    tag,
    tags,
)
from hsched.experiment.graph import dependencies, task_of
from hsched.experiment.identity import identifier
from hsched.experiment.marking import Marker
from hsched.experiment.sealing import Context, seal
from hsched.experiment.state import is_config, state_of


class Model(Config):
    size: Param[int] = 1
    weights: DataPath = Path()
    more: OptionalDataPath = None


class Pair(Config):
    first: Param[Model]
    second: Param[Model]
    items: Param[list[Any]] = field(default_factory=list)


class Learn(Task):
    pair: Param[Any]
    log: Meta[Path] = field(default_factory=PathGenerator("log"))


def written(task: Any, workspace: Path) -> Any:
    """Seal a task and write its params.json, as submission does."""
    seal(task, Context(workspace))
    folder = state_of(task).folder
    assert folder is not None
    folder.mkdir(parents=True)
    (folder / "params.json").write_text(params.text(task))
    return task


def test_a_configuration_goes_through_json_and_back() -> None:
    model = Model.C(size=tag(3))
    pair = Pair.C(first=model, second=model, items=[(1, Path("x"))])
    back = from_state_dict(json.loads(json.dumps(state_dict(pair))))
    assert is_config(back)
    assert back.first is back.second
    assert back.items == [(1, Path("x"))]
    assert identifier(back) == identifier(pair)
    assert tags(back) == {"size": 3}
    back.first.size = 4
    assert identifier(back) != identifier(pair)


def test_what_does_not_count_still_does_not(tmp_path: Path) -> None:
    model = setmeta(Model.C(size=2), True)
    pair = Pair.C(first=model, second=Model.C())
    assert identifier(from_state_dict(state_dict(pair))) == identifier(pair)


def test_files_that_belong_to_it_are_saved_with_it(tmp_path: Path) -> None:
    weights, folder = tmp_path / "w.bin", tmp_path / "folder"
    weights.write_text("one")
    folder.mkdir()
    (folder / "inner").write_text("two")
    pair = Pair.C(first=Model.C(weights=weights, more=folder), second=Model.C(weights=weights))
    save(pair, tmp_path / "saved")
    weights.unlink()
    (tmp_path / "saved").rename(tmp_path / "moved")
    back = load(tmp_path / "moved")
    assert back.first.weights.read_text() == back.second.weights.read_text() == "one"
    assert (back.first.more / "inner").read_text() == "two"
    assert back.second.more is None


def test_a_file_that_is_not_there_cannot_be_saved(tmp_path: Path) -> None:
    pair = Pair.C(first=Model.C(weights=tmp_path / "none"), second=Model.C())
    with pytest.raises(ValueError, match=r"cannot save .*none"):
        save(pair, tmp_path / "saved")
    with pytest.raises(ValueError, match=r"cannot read a configuration from .*definition\.json"):
        load(tmp_path / "saved")


def test_it_can_come_back_as_an_object(tmp_path: Path) -> None:
    (tmp_path / "w").touch()
    save(Model.C(size=5, weights=tmp_path / "w"), tmp_path / "saved")
    one = deserialize(tmp_path / "saved", as_instance=True)
    assert (type(one), one.size, is_config(one)) == (Model, 5, False)


def test_a_task_is_read_from_its_folder(tmp_path: Path) -> None:
    upstream = written(Learn.C(pair=1), tmp_path)
    output = Marker(upstream)(Model.C(size=9))
    task = written(Learn.C(pair=Pair.C(first=output, second=Model.C())), tmp_path)
    folder = state_of(task).folder
    assert folder is not None
    back = from_task_dir(folder)
    assert identifier(back) == identifier(task)
    assert back.log == task.log
    assert task_of(back.pair.first).pair == 1
    assert [state_of(one).folder for one in dependencies(back)] == [state_of(upstream).folder]
    assert Learn.C(pair=back).pair is back
    with pytest.raises(AttributeError, match="read-only"):
        back.pair = 3
    assert from_task_dir(folder, as_instance=True).pair.first.size == 9
