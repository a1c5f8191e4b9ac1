"""What stands for the driver in the process of a task: nothing can be submitted there."""

from __future__ import annotations

from typing import Any, NoReturn

from hsched.errors import WrongUsage


class experiment:
    """An experiment that cannot begin."""

    CURRENT: experiment | None = None

    def __init__(self, workspace: Any, name: str, **_: Any) -> None:
        """Say what is wrong.

        Raises:
            WrongUsage: always.
        """
        raise WrongUsage(
            f"experiment {name!r} begins within a task: the task's process reads this file to "
            "find its class; put the experiment under `if __name__ == '__main__':`"
        )

    @staticmethod
    def current() -> NoReturn:
        """Say what is wrong.

        Raises:
            WrongUsage: always.
        """
        active()


def active() -> NoReturn:
    """Say what is wrong.

    Raises:
        WrongUsage: always.
    """
    raise WrongUsage("no experiment is open in the process of a task; submit in the driver")


def experiment_of(job: Any) -> NoReturn:
    """Say what is wrong.

    Raises:
        WrongUsage: always.
    """
    active()
