"""Submit hooks: what a configuration needs of its task's environment."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from hsched.experiment.jobs import Job
    from hsched.experiment.launchers import Launcher

C = TypeVar("C", bound=type)

#: Where a class keeps its own hooks; those of its parents are found there.
_OWN = "__submit_hooks__"


class SubmitHook:
    """Changes a job before it is submitted; an instance decorates a configuration class.

    All hooks of the configurations that a task is made of are applied, of those with
    equal class and :meth:`spec` one.
    """

    def spec(self) -> Hashable:
        """Return what tells this hook from others of its class; by default itself."""
        return id(self)

    def process(self, job: Job, launcher: Launcher) -> None:
        """Change ``job``, for instance ``job.environ``, before it is submitted."""
        raise NotImplementedError(f"{type(self).__name__} has no method process(job, launcher)")

    def __call__(self, decorated: C) -> C:
        """Let the hook be applied to every task that has a ``decorated`` in it."""
        own = decorated.__dict__.get(_OWN, ())
        setattr(decorated, _OWN, (*own, self))
        return decorated

    def __eq__(self, other: object) -> bool:
        """Whether both would do the same."""
        if not isinstance(other, SubmitHook) or type(self) is not type(other):
            return False
        return bool(self.spec() == other.spec())

    def __hash__(self) -> int:
        return hash((type(self), self.spec()))


def submit_hook_decorator(hook: SubmitHook | type[SubmitHook]) -> Callable[..., object]:
    """Return a class decorator that applies ``hook``.

    Of a class of hooks, return what makes such decorators from the arguments of a hook:
    ``java = submit_hook_decorator(needs_java)``, then ``@java(11)``.
    """
    return hook


def of_class(kind: type) -> Iterator[SubmitHook]:
    """Yield the hooks of a class and of those that it derives from."""
    for one in kind.__mro__:
        yield from one.__dict__.get(_OWN, ())


def distinct(kinds: Iterable[type]) -> list[SubmitHook]:
    """Return the hooks of all these classes, each once, in the order of their appearance."""
    return list(dict.fromkeys(hook for kind in dict.fromkeys(kinds) for hook in of_class(kind)))
