"""Where things are from: the user's line, and the module that a class is found in again."""

from __future__ import annotations

import os
import sys
from typing import Any

_HERE = __name__.rpartition(".")[0]

#: File and line of the user's code.
Line = tuple[str, int]


def users_line() -> Line:
    """Return file and line of the innermost frame that is not of this package."""
    frame: Any = sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def _is_ours(module: str) -> bool:
    return module.startswith(_HERE) and module[len(_HERE) :][:1] in ("", ".")


def module_name(cls: type) -> str:
    """Return the name of the module of a class, the same whether it is run or imported.

    A script is known to its own run as ``__main__``; its name is that of its file, so that
    the identity of what it defines does not depend on how it was started.
    """
    name = cls.__module__
    if name != "__main__":
        return name
    main = sys.modules.get(name)
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return str(spec.name).removesuffix(".__main__")
    file = getattr(main, "__file__", None)
    return os.path.splitext(os.path.basename(file))[0] if file else name


def module_file(cls: type) -> str | None:
    """Return the absolute path of the file of a module that stands in no package."""
    module = sys.modules.get(cls.__module__)
    spec = getattr(module, "__spec__", None)
    file: str | None = getattr(module, "__file__", None)
    if file is None or (spec is not None and spec.parent):
        return None
    return os.path.abspath(file)


def words_of(line: Line) -> str:
    """Return ``FILE:LINE`` for a person."""
    return f"{line[0]}:{line[1]}"
