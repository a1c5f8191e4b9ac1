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

from hsched.experiment.encoding import encode, text
from hsched.experiment.fields import MISSING
from hsched.experiment.graph import configs_in, strong_components
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
    given = cls.__dict__.get("__xpmid__")
    if given is not None:
        return str(given() if callable(given) else given)
    return f"{module_name(cls)}.{cls.__qualname__}".lower()


def identifier(config: Any) -> bytes:
    """Return the identity, 32 bytes, of a configuration or of an object of a running task."""
    if not is_config(config):
        return bytes(vars(config)["__hsched_digest__"])
    state = state_of(config)
    if state.digest is not None:
        return state.digest
    digest = _Digests().of(config)
    if state.sealed:
        state.digest = digest
    return digest


def identity_of(config: Any) -> str:
    """Return the identity as 64 hexadecimal digits, as folders are named by it."""
    return identifier(config).hex()


class _Digests:
    """Digests of one graph, for one choice of parameters."""

    def __init__(self, counts: Counts | None = None) -> None:
        self._counts = counts
        self._known: dict[int, bytes] = {}

    def of(self, root: Any) -> bytes:
        """Return the digest of a configuration."""
        for component in strong_components(root, self._children):
            self._settle(component)
        return self._lookup(root)

    def _children(self, config: Any) -> list[Any]:
        """Return what the digest of a configuration needs and is not known yet."""
        values = [value for _, value in self._candidates(config)]
        needed = [*configs_in(values), *state_of(config).init_tasks]
        return [one for one in needed if self._remembered(one) is None]

    def _remembered(self, config: Any) -> bytes | None:
        known = self._known.get(id(config))
        return known if known is not None or self._counts else state_of(config).digest

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
        if len(component) == 1 and component[0] not in _Same(self._children(component[0])):
            self._keep(component[0], self._digest(component[0]))
            return
        for config in component:
            self._known[id(config)] = b"cycle"
        for _ in range(len(component) + 1):
            made = [self._digest(config) for config in component]
            self._known.update({id(one): d for one, d in zip(component, made, strict=True)})
        for config in component:
            self._keep(config, self._known[id(config)])

    def _keep(self, config: Any, digest: bytes) -> None:
        self._known[id(config)] = digest
        state = state_of(config)
        if state.sealed and self._counts is None:
            state.digest = digest

    def _digest(self, config: Any) -> bytes:
        state = state_of(config)
        pieces = [_VERSION]
        if state.task is not None:
            pieces.append(b"task" + identifier(state.task))
        pieces.append(text(qualified_name(type(config))))
        for parameter, value in self._candidates(config):
            coded = encode(value, self._lookup)
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
        if not parameter.field.ignore_default:
            return False
        default = parameter.fresh()
        return default is not MISSING and coded == encode(default, _Digests(self._counts).of)


class _Same:
    """Membership by being the same object: configurations have no hash before they are sealed."""

    def __init__(self, members: list[Any]) -> None:
        self._ids = {id(one) for one in members}

    def __contains__(self, other: object) -> bool:
        return id(other) in self._ids
