"""Experiments: configurations with an identity, and tasks that are never run twice.

The names below are imported when they are first used, so a task's process imports only what its
body needs.  No module of the package has the name of one of them: importing a module makes it an
attribute of the package, and would hide the name.

Inside the package, the describing half and the running half meet in these:

- ``state.state_of(config)``: the bookkeeping of a configuration (`job` and `cache` are free for
  the running half), ``state.is_config``.
- ``sealing.seal(config, Context(workspace, init_tasks))``: validate, identify, freeze, make paths;
  then ``state_of(config).digest`` and ``.folder`` are set.
- ``identity.identifier(config) -> bytes``, ``identity_of(config) -> str`` (hexadecimal): of
  configurations and of the objects of a running task; ``identity.qualified_name(cls)``.
- ``graph.dependencies(config)``: the submitted tasks that must end before; ``graph.task_of``.
- ``marking.Marker(task, soft=...)``: the ``dep`` of ``task_outputs`` and of dynamic outputs.
- ``params.text(config)`` and ``write(config)``: params.json; ``params.read(data, folder)``:
  the task as objects, a ``restore.Loaded`` with ``.task``, ``.init_tasks`` and ``.execute()``.
- ``tagging.tags(config)``; ``running.task``: what runs here, set by ``params.read``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Annotated as Annotated

    from hsched.experiment.caches import cache as cache
    from hsched.experiment.config import Config as Config
    from hsched.experiment.copies import copyconfig as copyconfig
    from hsched.experiment.copies import setmeta as setmeta
    from hsched.experiment.deprecation import deprecate as deprecate
    from hsched.experiment.endings import FailedExperiment as FailedExperiment
    from hsched.experiment.endings import GracefulExperimentExit as GracefulExperimentExit
    from hsched.experiment.endings import GracefulTimeout as GracefulTimeout
    from hsched.experiment.endings import TaskCancelled as TaskCancelled
    from hsched.experiment.fields import field as field
    from hsched.experiment.generators import PathGenerator as PathGenerator
    from hsched.experiment.generators import pathgenerator as pathgenerator
    from hsched.experiment.hooks import SubmitHook as SubmitHook
    from hsched.experiment.hooks import submit_hook_decorator as submit_hook_decorator
    from hsched.experiment.identity import Identifier as Identifier
    from hsched.experiment.jobs import Job as Job
    from hsched.experiment.jobs import JobState as JobState
    from hsched.experiment.launchers import Launcher as Launcher
    from hsched.experiment.markers import Choices as Choices
    from hsched.experiment.markers import Constant as Constant
    from hsched.experiment.markers import DataPath as DataPath
    from hsched.experiment.markers import Meta as Meta
    from hsched.experiment.markers import Option as Option
    from hsched.experiment.markers import OptionalDataPath as OptionalDataPath
    from hsched.experiment.markers import Param as Param
    from hsched.experiment.markers import help as help
    from hsched.experiment.modes import RunMode as RunMode
    from hsched.experiment.once import initializer as initializer
    from hsched.experiment.partials import ParameterGroup as ParameterGroup
    from hsched.experiment.partials import Partial as Partial
    from hsched.experiment.partials import param_group as param_group
    from hsched.experiment.partials import partial as partial
    from hsched.experiment.reporting import progress as progress
    from hsched.experiment.reporting import tqdm as tqdm
    from hsched.experiment.run import experiment as experiment
    from hsched.experiment.saving import deserialize as deserialize
    from hsched.experiment.saving import from_state_dict as from_state_dict
    from hsched.experiment.saving import from_task_dir as from_task_dir
    from hsched.experiment.saving import load as load
    from hsched.experiment.saving import save as save
    from hsched.experiment.saving import serialize as serialize
    from hsched.experiment.saving import state_dict as state_dict
    from hsched.experiment.sharing import InstanceConfig as InstanceConfig
    from hsched.experiment.tagging import TagDict as TagDict
    from hsched.experiment.tagging import stop_tags as stop_tags
    from hsched.experiment.tagging import tag as tag
    from hsched.experiment.tagging import tags as tags
    from hsched.experiment.tagging import tagspath as tagspath
    from hsched.experiment.tasks import DependentMarker as DependentMarker
    from hsched.experiment.tasks import LightweightTask as LightweightTask
    from hsched.experiment.tasks import ResumableTask as ResumableTask
    from hsched.experiment.tasks import Task as Task
    from hsched.experiment.workspace import Workspace as Workspace

#: Module -> the names that it gives.
_MODULES = {
    "caches": "cache",
    "config": "Config",
    "copies": "copyconfig setmeta",
    "deprecation": "deprecate",
    "endings": "FailedExperiment GracefulExperimentExit GracefulTimeout TaskCancelled",
    "fields": "field",
    "generators": "PathGenerator pathgenerator",
    "hooks": "SubmitHook submit_hook_decorator",
    "identity": "Identifier",
    "jobs": "Job JobState",
    "launchers": "Launcher",
    "markers": "Choices Constant DataPath Meta Option OptionalDataPath Param help",
    "modes": "RunMode",
    "once": "initializer",
    "partials": "ParameterGroup Partial param_group partial",
    "reporting": "progress tqdm",
    "run": "experiment",
    "saving": "deserialize from_state_dict from_task_dir load save serialize state_dict",
    "sharing": "InstanceConfig",
    "tagging": "TagDict stop_tags tag tags tagspath",
    "tasks": "DependentMarker LightweightTask ResumableTask Task",
    "workspace": "Workspace",
}

#: Name -> the module that gives it.
EXPORTS = {
    name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names.split()
}
EXPORTS |= {"Annotated": "typing", "Any": "typing", "Path": "pathlib"}

__all__ = [
    *EXPORTS,
]


def __getattr__(name: str) -> Any:
    """Import a name when it is first used."""
    module = EXPORTS.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(module), name)
    return value
