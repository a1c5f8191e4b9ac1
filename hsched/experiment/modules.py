"""Finds classes again, in the process that runs a task."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from types import ModuleType
from typing import Any


def find_class(found: dict[str, Any]) -> type:
    """Return the class that `plain.found_again` described.

    Raises:
        ImportError: the module or the class is not there any more.
    """
    thing: Any = load_module(found["module"], found.get("file"))
    for name in found["type"].split("."):
        thing = getattr(thing, name, None)
    if not isinstance(thing, type):
        place = found.get("file") or found["module"]
        raise ImportError(f"there is no class {found['type']} in {place} any more")
    return thing


def load_module(name: str, file: str | None) -> ModuleType:
    """Return a module by its name, or from its file where that stands in no package.

    A script that was run is loaded under its own name: what is under ``if __name__ ==
    "__main__"`` does not run again.

    Raises:
        ImportError: it is not there.
    """
    if file is None:
        main = sys.modules.get("__main__")
        is_main = getattr(getattr(main, "__spec__", None), "name", None) == name
        return main if main is not None and is_main else import_module(name)
    for known in (name, "__main__"):
        module = sys.modules.get(known)
        if module is not None and _is_file(module, file):
            return module
    folder = os.path.dirname(file)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return _from_file(name, file)


def _is_file(module: ModuleType, file: str) -> bool:
    own = getattr(module, "__file__", None)
    return own is not None and os.path.abspath(own) == file


def _from_file(name: str, file: str) -> ModuleType:
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not os.path.exists(file):
        raise ImportError(f"there is no module {file} any more", name=name, path=file)
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
