"""A launcher that chooses among others for each task."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hsched.errors import WrongUsage
from hsched.experiment.launchers.launcher import Launcher


class NoLaunchers(WrongUsage, ValueError):
    """A choice among no launchers, or with priorities that are no weights."""


class DynamicLauncher(Launcher):
    """Takes the launcher of the highest priority; of several, any.

    With ``sample``, each is taken as often as its priority says.  Derive and define
    ``update()`` to change priorities; it is called before each choice.
    """

    def __init__(self, launchers: Sequence[Launcher], sample: bool = False) -> None:
        """Choose among ``launchers``.

        Raises:
            NoLaunchers: there are none, or a priority is no weight where it must be one.
        """
        if not launchers:
            raise NoLaunchers("DynamicLauncher: no launchers to choose from")
        super().__init__(launchers[0].connector)
        self.launchers = list(launchers)
        self.sample = sample
        self._check()

    def update(self) -> None:
        """Change the priorities of ``launchers``; nothing by default."""

    def select(self) -> Launcher:
        """Return the launcher for the next task.

        Raises:
            NoLaunchers: a priority is no weight where it must be one.
        """
        self.update()
        self._check()
        priorities = [one.priority for one in self.launchers]
        if self.sample:
            return random.choices(self.launchers, weights=priorities)[0].select()
        best = [one for one in self.launchers if one.priority == max(priorities)]
        return random.choice(best).select()

    def _check(self) -> None:
        if self.sample and any(one.priority <= 0 for one in self.launchers):
            raise NoLaunchers("DynamicLauncher: with sample=True every priority is above 0")
