"""Sealing: from a description that can change to one that a task was submitted with."""

from __future__ import annotations

from _thread import RLock  # threading itself takes longer to import
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hsched.experiment.errors import WrongAttribute, WrongValue
from hsched.experiment.generators import PathGenerator
from hsched.experiment.graph import configs_in, in_order, named_values, parts, task_of
from hsched.experiment.identity import identify, qualified_name
from hsched.experiment.schema import Parameter, schema_of
from hsched.experiment.state import is_config, state_of

#: Callbacks submit tasks in a thread of their own, and may use what another thread seals.
_sealing = RLock()


class Context:
    """What generated paths are made from.

    Attributes:
        workspace: the folder of all experiments.
        task: the configuration that is sealed, with `init_tasks` that run before it.
        path: the folder of the task; `None` until its identity is known.
    """

    def __init__(self, workspace: Path, init_tasks: Iterable[Any] = ()) -> None:
        self.workspace = workspace.absolute()
        self.init_tasks = list(init_tasks)
        self.task: Any = None
        self.path = self.workspace


class Way(NamedTuple):
    """How a configuration is reached: from where, and by which parameter, keys and places."""

    before: Way | None
    names: tuple[str, ...]

    def folder(self, root: Path) -> Path:
        """Return the folder of what is reached, below that of a task."""
        names: list[str] = []
        way: Way | None = self
        while way is not None:
            names += reversed(way.names)
            way = way.before
        return root.joinpath("out", *reversed(names))


def folder_of(config: Any, workspace: Path, digest: bytes) -> Path:
    """Return where a task of that identity works: ``WORKSPACE/jobs/NAME/ID``."""
    return workspace / "jobs" / qualified_name(type(config)) / digest.hex()


def validate(root: Any) -> None:
    """Check that nothing is missing below a configuration, and ask each `__validate__`.

    Raises:
        WrongValue: a required parameter has no value.
        Exception: whatever a `__validate__` raises.
    """
    for config in in_order(root, parts, lambda one: state_of(one).sealed):
        for name, parameter in schema_of(type(config)).by_name.items():
            if parameter.required and name not in vars(config):
                raise WrongValue(
                    f"Value {name} is required but missing when building {config!r} at "
                    f"{state_of(config).where()}"
                )
        config.__validate__()


def seal(config: Any, context: Context) -> None:
    """Seal a configuration and what it is made of; make its paths.

    After it, its state has `digest`, `folder` and `workspace`, and nothing below it can be
    changed.  Nothing is changed where it fails.

    Raises:
        WrongValue: something is missing, or it was submitted before.
        WrongAttribute: a part has paths that were generated for another task.
    """
    with _sealing:
        _seal(config, context)


def _seal(config: Any, context: Context) -> None:
    state = state_of(config)
    if state.sealed:
        raise WrongValue(f"task {config!r} was already submitted (built at {state.where()})")
    state.init_tasks = context.init_tasks
    try:
        validate(config)
        places = list(_places(config))
        digest, keep = identify(config)
        context.task = config
        context.path = folder_of(config, context.workspace, digest)
        paths = list(_paths(places, context))
    except BaseException:
        state.init_tasks = []
        raise
    for part, name, path in paths:
        vars(part)[name] = state_of(part).generated[name] = path
    for part, _ in places:
        state_of(part).sealed = True
        keep(part)
    state.digest, state.folder, state.workspace = digest, context.path, context.workspace


def _places(root: Any) -> Iterator[tuple[Any, Way | None]]:
    """Yield what is not sealed below a configuration, with the way that leads there."""
    seen = {id(root)}
    stack: list[tuple[Any, Way | None]] = [(root, None)]
    while stack:
        config, way = stack.pop()
        yield config, way
        found: list[tuple[Any, tuple[str, ...]]] = []
        for name, value in named_values(config):
            parameter = schema_of(type(config)).by_name[name]
            if not parameter.field.ignore_generated:
                refuse_generated(parameter, value)
            found += _inside(value, (name,))
        for index, task in enumerate(state_of(config).init_tasks):
            found.append((task, ("init", str(index))))
        for one, names in reversed(found):
            if id(one) not in seen and not state_of(one).sealed:
                seen.add(id(one))
                stack.append((one, Way(way, names)))


def _inside(value: Any, names: tuple[str, ...]) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Yield the configurations in a value, with the parameter, keys and places they have."""
    if is_config(value):
        yield value, names
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _inside(one, (*names, str(key)))
    elif isinstance(value, (list, tuple, set, frozenset)):
        for index, one in enumerate(value):
            yield from _inside(one, (*names, str(index)))


def _paths(
    places: list[tuple[Any, Way | None]], context: Context
) -> Iterator[tuple[Any, str, Path]]:
    """Yield the paths to be made: of which configuration, for which parameter."""
    for config, way in places:
        for name, parameter in schema_of(type(config)).by_name.items():
            if parameter.factory is None:
                continue
            if isinstance(parameter.factory, PathGenerator) and parameter.factory.partial:
                base = parameter.factory.partial.folder(context.task, context.workspace)
            else:
                base = way.folder(context.path) if way is not None else context.path
            yield config, name, base / parameter.factory(context, config)


def refuse_generated(parameter: Parameter, value: Any) -> None:
    """Refuse a value with paths that were generated for another task.

    Raises:
        WrongAttribute: it has some; the message lists them.
    """
    for config in configs_in([value]):
        paths = [f"{parameter.name}.{path}" for path in generated_below(config)]
        if paths:
            raise WrongAttribute(
                f"Cannot set {parameter.name} to a configuration with generated values. "
                f"Here is the list of paths to help you: {', '.join(paths)}. Give a copy, "
                "copyconfig(...), or say field(ignore_generated=True)"
            )


def generated_below(root: Any) -> list[str]:
    """Return the paths generated for a task in what is no output of it, by parameter names.

    They are for a message, and ten are enough.
    """
    state = state_of(root)
    if not state.sealed or task_of(root) is not None:
        return []
    for config in in_order(root, _inner, lambda one: "generated" in state_of(one).cache):
        below = [
            f"{name}.{path}"
            for name, value in named_values(config)
            for one in configs_in([value])
            for path in state_of(one).cache.get("generated", ())
            if task_of(one) is None
        ]
        state_of(config).cache["generated"] = [*state_of(config).generated, *below][:10]
    return list(state.cache["generated"])


def _inner(config: Any) -> list[Any]:
    return [one for one in parts(config) if task_of(one) is None]
