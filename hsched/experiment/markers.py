"""The annotations of parameters: to a type checker each is the type that it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

T = TypeVar("T")


class Role:
    """Says of an annotation what part its parameter plays."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


PARAM, META, CONSTANT, DATA = Role("Param"), Role("Meta"), Role("Constant"), Role("DataPath")

#: A parameter: part of the identity.
Param = Annotated[T, PARAM]
#: A setting that changes no result, and so not the identity.
Meta = Annotated[T, META]
#: The older name of `Meta`.
Option = Annotated[T, META]
#: A value fixed by the class, and part of the identity: change it when the code changes.
Constant = Annotated[T, CONSTANT]
#: A file or folder that belongs to the configuration and is saved with it.
DataPath = Annotated[Path, DATA]
OptionalDataPath = Annotated[Path | None, DATA]


class Choices(Generic[T]):
    """``Param[Annotated[str, Choices(["a", "b"])]]``: only these values."""

    __slots__ = ("values",)

    def __init__(self, values: Any) -> None:
        self.values: tuple[T, ...] = tuple(values)


class help:
    """``Annotated[int, help("epochs")]``: what a parameter is for, in words."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text
