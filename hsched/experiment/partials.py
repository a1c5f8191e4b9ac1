"""Partial identities: folders that tasks share which differ only in some parameters."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsched.experiment.state import state_of

if TYPE_CHECKING:
    from hsched.experiment.schema import Parameter


class ParameterGroup:
    """A name for some of the parameters of a class: ``field(groups=[group])``."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        """Return how it is made."""
        return f"param_group({self.name!r})"


def param_group(name: str) -> ParameterGroup:
    """Return a group; a partial identity can leave its parameters out."""
    return ParameterGroup(name)


class Partial:
    """A partial identity; a class of tasks has it as an attribute. See `partial`."""

    def __init__(
        self,
        include: Iterable[ParameterGroup],
        exclude: Iterable[ParameterGroup],
        *,
        exclude_no_group: bool,
        exclude_all: bool,
    ) -> None:
        self.name = ""
        self._owner: type | None = None
        self._include, self._exclude = set(include), set(exclude)
        self._exclude_no_group, self._exclude_all = exclude_no_group, exclude_all

    def __set_name__(self, owner: type, name: str) -> None:
        """Take the name of the attribute as its own."""
        self.name, self._owner = name, owner

    def counts(self, config: Any, parameter: Parameter) -> bool:
        """Return whether a parameter is part of this identity.

        To be included wins.  What has no group, or all, is left out of the class that has the
        partial identity, and not of what its parameters are made of.
        """
        groups = set(parameter.field.groups)
        if groups & self._include:
            return True
        if groups & self._exclude:
            return False
        if self._owner is None or not isinstance(config, self._owner):
            return True
        return not (self._exclude_all or (self._exclude_no_group and not groups))

    def identifier(self, config: Any) -> bytes:
        """Return the identity, 32 bytes, of a task but for what is left out."""
        from hsched.experiment.identity import partial_digest

        return partial_digest(config, self.counts)

    def folder(self, config: Any, workspace: Path) -> Path:
        """Return ``WORKSPACE/partials/TASK/NAME/ID``, the folder that such tasks share."""
        from hsched.experiment.identity import qualified_name

        task = qualified_name(type(config))
        return workspace / "partials" / task / self.name / self.identifier(config).hex()


def partial(
    *,
    exclude_groups: Iterable[ParameterGroup] = (),
    include_groups: Iterable[ParameterGroup] = (),
    exclude_no_group: bool = False,
    exclude_all: bool = False,
) -> Any:
    """Return a partial identity: ``checkpoints = partial(exclude_groups=[iterations])``.

    Args:
        exclude_groups: leave out parameters of these groups.
        include_groups: keep parameters of these groups, whatever else is said.
        exclude_no_group: leave out parameters that are in no group.
        exclude_all: leave out all parameters.
    """
    return Partial(
        include_groups, exclude_groups, exclude_no_group=exclude_no_group, exclude_all=exclude_all
    )


def partials_of(config: Any) -> list[Partial]:
    """Return the partial identities of a configuration's class, those of its parents first."""
    found: dict[str, Partial] = {}
    for cls in reversed(type(config).__mro__):
        found.update((n, one) for n, one in vars(cls).items() if isinstance(one, Partial))
    return list(found.values())


def partial_folders(config: Any) -> list[Path]:
    """Return the folders that a sealed task shares with others, one for each partial identity."""
    workspace = state_of(config).workspace
    return [one.folder(config, workspace) for one in partials_of(config)] if workspace else []
