"""The identity of a configuration: what makes two tasks the same task.

SHA-256 over the name of the class and the parameters that count, by name.  Docs/identity.md has
the table of what is equal and what is not.  The cost is linear in what is not sealed yet: a
sealed configuration remembers its digest.  Configurations in a cycle are told apart by what can
be reached from each of them, so an identity does not depend on where the cycle is entered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from hsched.experiment.deprecation import old_of, today
from hsched.experiment.encoding import encode, text
from hsched.experiment.errors import WrongDeclaration, WrongValue
from hsched.experiment.fields import MISSING
from hsched.experiment.graph import configs_in, strong_components
from hsched.experiment.markers import CONSTANT
from hsched.experiment.origin import module_name
from hsched.experiment.schema import Parameter, schema_of
from hsched.experiment.state import State, is_config, state_of

#: Chooses parameters of a configuration; a partial identity leaves some out.
Counts = Callable[[Any, Parameter], bool]

#: Changes when the way in which identities are made does.
_VERSION = b"hsched-identity-1"


class Identifier:
    """An identity, for people and for paths."""

    __slots__ = ("all",)

    def __init__(self, digest: bytes) -> None:
        self.all = digest

    def hex(self) -> str:
        """Return it as 64 hexadecimal digits."""
        return self.all.hex()

    def __eq__(self, other: object) -> bool:
        """Return whether both are one."""
        return isinstance(other, Identifier) and self.all == other.all

    def __hash__(self) -> int:
        """Return the same for equal ones."""
        return hash(self.all)

    def __repr__(self) -> str:
        """Return its digits."""
        return f"Identifier({self.hex()})"

    __str__ = hex


def qualified_name(cls: type) -> str:
    """Return the name of a class as identities and folders have it: ``module.class``.

    It is in lower case; an attribute ``__xpmid__`` of the class itself says another one.
    """
    cls = cls.__hsched_class__  # type: ignore[attr-defined]
    name = cls.__dict__.get("__hsched_name__")
    if name is None:
        given = cls.__dict__.get("__xpmid__")
        name = given if given is not None else f"{module_name(cls)}.{cls.__qualname__}".lower()
        type.__setattr__(cls, "__hsched_name__", name)
    return str(name)


def identifier(config: Any) -> bytes:
    """Return the identity, 32 bytes, of a configuration or of an object of a running task."""
    if not is_config(config):
        return bytes(vars(config)["__hsched_digest__"])
    state = state_of(config)
    return state.digest if state.digest is not None else identify(config)[0]


def identify(config: Any) -> tuple[bytes, Callable[[Any], None]]:
    """Return the identity of a configuration, and what keeps it for a part once that is sealed.

    So what was worked out for a task serves those that use parts of it.
    """
    digests = _Digests()
    digest = digests.identity(config)
    state = state_of(config)
    if state.sealed:
        state.digest = digest
    return digest, digests.keep


def unfit(config: Any, name: str, why: Exception) -> Exception:
    """Return the error for a value that a parameter was given, and cannot have."""
    if isinstance(why, WrongDeclaration):
        return why
    return WrongValue(
        f"Invalid value for parameter {name!r} of {type(config).__qualname__} (built at "
        f"{state_of(config).where()}): {why}"
    )


def identity_of(config: Any) -> str:
    """Return the identity as 64 hexadecimal digits, as folders are named by it."""
    return identifier(config).hex()


def partial_digest(config: Any, counts: Counts) -> bytes:
    """Return the identity of a configuration if only some parameters count."""
    return _Digests(counts).identity(config)


class _Digests:
    """Digests of one graph, for one choice of parameters."""

    def __init__(self, counts: Counts | None = None) -> None:
        self._counts = counts
        self._known: dict[int, bytes] = {}
        self._converted: dict[int, Any] = {}

    def identity(self, root: Any) -> bytes:
        """Return the digest of a configuration that stands by itself."""
        root = self._today(root)
        from hsched.experiment import sharing

        shape = self.of(root)
        if not sharing.is_used():
            return shape
        return sharing.with_sharing(root, shape, self._parts, self.of)

    def of(self, root: Any) -> bytes:
        """Return the digest of a configuration that is part of another."""
        if self._remembered(root) is None:
            for component in strong_components(root, self._children):
                self._settle(component)
        return self._lookup(root)

    def keep(self, config: Any) -> None:
        """Let a configuration, now sealed, remember its digest as a part."""
        state_of(config).shape = self._known.get(id(config))

    def _today(self, config: Any) -> Any:
        """Return what a configuration of an old class has become, each time the same object."""
        if old_of(type(config)) is None:
            return config
        if id(config) not in self._converted:
            self._converted[id(config)] = today(config)
        return self._converted[id(config)]

    def _parts(self, config: Any) -> list[Any]:
        if self._today(config) is not config:
            return [self._today(config)]
        values = [value for _, value in self._candidates(config)]
        return [*configs_in(values), *state_of(config).init_tasks]

    def _children(self, config: Any) -> list[Any]:
        """Return what the digest of a configuration needs and is not known yet."""
        return [one for one in self._parts(config) if self._remembered(one) is None]

    def _remembered(self, config: Any) -> bytes | None:
        known = self._known.get(id(config))
        if known is not None or self._counts is not None:
            return known
        state = state_of(config)
        # A task is never part of another in shape only: it stands by itself.
        return state.digest if state.is_task else state.shape

    def _lookup(self, config: Any) -> bytes:
        found = self._remembered(config)
        assert found is not None, "a digest is asked for before it is made"
        return found

    def _settle(self, component: list[Any]) -> None:
        """Give the members of a strongly connected component their digests.

        One alone needs those of its children.  In a cycle all begin alike; in each round a
        digest takes in its neighbours', so after as many rounds as there are members each
        has taken in all that it can reach.
        """
        first = component[0]
        if len(component) == 1 and all(one is not first for one in self._children(first)):
            self._known[id(first)] = self._digest(first)
            return
        for config in component:
            self._known[id(config)] = b"cycle"
        for _ in range(len(component) + 1):
            made = [self._digest(config) for config in component]
            self._known.update({id(one): d for one, d in zip(component, made, strict=True)})

    def _digest(self, config: Any) -> bytes:
        if self._today(config) is not config:
            return self._lookup(self._today(config))
        state = state_of(config)
        pieces = [_VERSION]
        if state.task is not None:
            pieces.append(b"task" + identifier(state.task))
        pieces.append(text(qualified_name(type(config))))
        for parameter, value in self._candidates(config):
            try:
                coded = encode(value, self._lookup)
            except TypeError as error:
                raise unfit(config, parameter.name, error) from None
            if not self._is_default(parameter, coded):
                pieces += (text(parameter.name), coded)
        pieces += (b"init" + self._lookup(task) for task in state.init_tasks)
        return hashlib.sha256(b"".join(pieces)).digest()

    def _candidates(self, config: Any) -> Iterator[tuple[Parameter, Any]]:
        """Yield the parameters that count, unless they have a default that does not."""
        values = vars(config)
        for parameter in schema_of(type(config)).counted:
            if parameter.name not in values:
                continue
            value = values[parameter.name]
            state = getattr(value, "__hsched__", None)
            meta = state.meta if isinstance(state, State) else None
            if meta is True or (parameter.hidden and meta is None):
                continue
            if value is None and parameter.optional and parameter.fresh() is None:
                continue
            if self._counts is None or self._counts(config, parameter):
                yield parameter, value

    def _is_default(self, parameter: Parameter, coded: bytes) -> bool:
        if not parameter.field.ignore_default or parameter.role is CONSTANT:
            return False
        default = parameter.fresh()
        return default is not MISSING and coded == encode(default, _Digests(self._counts).of)
