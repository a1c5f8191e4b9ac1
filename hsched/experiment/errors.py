"""What can be wrong with a configuration, under the types that Python uses for it.

Each message names the parameter, the value, and the line of the user's file.
"""

from __future__ import annotations

from hsched.errors import WrongUsage


class WrongValue(WrongUsage, ValueError):
    """A value that a parameter cannot take, is missing, or has no such parameter."""


class WrongDeclaration(WrongUsage, TypeError):
    """A class of configurations that makes no sense, found when it is first used."""


class WrongAttribute(WrongUsage, AttributeError):
    """An attribute that cannot be set: read-only, sealed, or without what it needs."""


class UnsetParameter(WrongUsage, AttributeError, KeyError):
    """A parameter was read that nobody has given a value."""

    def __str__(self) -> str:
        """Return the sentence itself; a KeyError would quote it."""
        return str(self.args[0]) if self.args else ""
