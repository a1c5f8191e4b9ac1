"""`Config`: a class whose annotations are parameters, and the objects that describe it.

Each class has a twin, made when it is first needed, whose objects are the configurations:
``Model.C(size=3)``.  They check what they are given, know where they were built, and are
sealed when a task that uses them is submitted.  Objects of the class itself exist only where a
task runs, and carry nothing but attributes.
"""

from __future__ import annotations

import sys
from abc import ABCMeta
from collections.abc import Callable, Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from hsched.experiment import running
from hsched.experiment.fields import Field, field
from hsched.experiment.origin import users_line
from hsched.experiment.state import state_of

if TYPE_CHECKING:
    from typing_extensions import Self, dataclass_transform

    from hsched.experiment.identity import Identifier
    from hsched.experiment.tagging import TagDict
else:

    def dataclass_transform(**_: object) -> Callable[[type], type]:
        """Say nothing at run time; type checkers read it."""
        return lambda cls: cls


T = TypeVar("T")


@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
class ConfigMeta(ABCMeta):
    """The class of classes of configurations."""

    def __new__(
        meta, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any
    ) -> ConfigMeta:
        """Keep what `field` said aside: an object's attribute is its value."""
        fields = {key: value for key, value in namespace.items() if isinstance(value, Field)}
        rest = {key: value for key, value in namespace.items() if key not in fields}
        rest["__hsched_fields__"] = fields
        rest["__hsched_line__"] = users_line()
        rest["__hsched_names__"] = _local_names(sys._getframe(1))
        cls = super().__new__(meta, name, bases, rest, **kwargs)
        if "__hsched_class__" not in rest:
            type.__setattr__(cls, "__hsched_class__", cls)
        return cls

    @property
    def C(cls: type[T]) -> type[T]:
        """The class of its configurations: ``Model.C(size=3)`` builds one."""
        cls = cast("Any", cls).__hsched_class__
        twin = cls.__dict__.get("__hsched_twin__")
        if twin is None:
            from hsched.experiment.configuration import make_twin

            twin = make_twin(cls)
        return cast("type[T]", twin)

    @property
    def XPMConfig(cls: type[T]) -> type[T]:
        """The longer name of `C`."""
        return cast("type[T]", cls.C)  # type: ignore[attr-defined]

    def __call__(cls, /, *args: Any, **values: Any) -> Any:
        """Build a configuration; where a task runs, an object."""
        if args:
            raise TypeError(f"{cls.__qualname__}: parameters are given by name")
        is_twin = getattr(cls, "__hsched_is_twin__", False)
        if running.task is not None and not is_twin:
            from hsched.experiment import instances

            return instances.build(cls, values)
        from hsched.experiment.configuration import configure

        return configure(cls if is_twin else cast("Any", cls).C, values)


def _local_names(frame: FrameType) -> dict[str, Any]:
    """Return the names around a class within a function: its annotations may be in quotes."""
    return {} if frame.f_locals is frame.f_globals else dict(frame.f_locals)


class Config(metaclass=ConfigMeta):
    """Derive from it, and annotate parameters: ``size: Param[int]``."""

    __hsched_is_task__: ClassVar[bool] = False

    if TYPE_CHECKING:
        #: While a task runs: its tags.
        __tags__: ClassVar[Mapping[str, Any]]
        __hsched_class__: ClassVar[type]

    def __post_init__(self) -> None:
        """Complete an object in a running task, once its parameters are set."""

    def __validate__(self) -> None:
        """Raise where the values of a configuration do not fit each other."""

    def __identifier__(self) -> Identifier:
        """Return the identity."""
        from hsched.experiment.identity import Identifier, identifier

        return Identifier(identifier(self))

    def tags(self) -> TagDict:
        """Return the tags of this configuration and of all that it is made of."""
        from hsched.experiment.tagging import tags

        return tags(self)

    def tag(self, name: str, value: Any) -> Self:
        """Add a tag that is no parameter, and return the configuration itself."""
        state = state_of(self)
        if state.sealed:
            from hsched.experiment.configuration import read_only

            raise read_only(name)
        state.tags[name] = value
        return self

    def copy(self) -> Self:
        """Return a copy that is not sealed; what it is made of is shared."""
        from hsched.experiment.copies import copyconfig

        return copyconfig(self)

    def instance(self) -> Self:
        """Return the object that a running task would see."""
        from hsched.experiment import instances

        return cast("Self", instances.of(self))

    def __matmul__(self, other: Any) -> Self:
        """Return a copy with ``other`` as the one parameter that takes it: ``learner @ model``.

        Raises:
            WrongValue: no parameter takes it, or several do.
        """
        from hsched.experiment.copies import with_part

        return with_part(self, other)

    @classmethod
    def value_class(cls) -> Callable[[type[T]], type[T]]:
        """Decorate a class derived from this one: its objects stand in for it in a task.

        So what needs large libraries can be imported by tasks alone.
        """

        def _decorate(value: type[T]) -> type[T]:
            type.__setattr__(value, "__hsched_class__", cls)
            type.__setattr__(cls, "__hsched_value__", value)
            return value

        return _decorate

    def copy_dependencies(self, other: Any) -> Self:
        """Wait for what another configuration was told to wait for."""
        state_of(self).needed.extend(state_of(other).needed)
        return self

    def add_dependencies(self, *tasks: Any) -> Self:
        """Let submitted tasks end before this one starts, though no parameter names them."""
        state_of(self).needed.extend(tasks)
        return self

    def register_task_output(
        self, method: Callable[..., Any], /, *args: Any, **values: Any
    ) -> None:
        """Give out what ``method(dep, *args, **values)`` describes, while the task runs.

        The arguments must be what JSON can hold.
        """
        from hsched.experiment import outputs
        from hsched.experiment.identity import identity_of

        outputs.register(outputs.key_of(method, identity_of(self)), args, values)
