"""Names of tasks: each is the path of a folder below the run's, so not every word will do."""

from __future__ import annotations

#: The longest name of a folder, in bytes, and of a whole path of them below a run.
MAX_NAME = 255

#: The most bytes of a character.
_LONGEST = 4

#: What a run's folder holds besides the folders of tasks.
_OURS = ("records", "payloads")
_ENDS = (".out", ".err")
_LOGS = ("stdout.log", "stderr.log")


def fault_of_part(name: str) -> str:
    """Return what is wrong with the name of one task or group; empty where nothing is."""
    if name.isascii() and name.replace("-", "0").replace("_", "0").isalnum():
        # Nothing else can be wrong with most names: they have no dot, no slash, no odd byte.
        return "" if len(name) <= MAX_NAME else _too_long(len(name))
    if not name:
        return "it is empty"
    if "/" in name:
        return "it has a slash; groups give tasks their folders"
    if name in (".", ".."):
        return "it means another folder"
    if not name.isprintable() and any(ord(c) < 32 or ord(c) == 127 for c in name):
        return "it has a control character"
    if (length := _length(name)) is None:
        return "it is no text"
    if length > MAX_NAME:
        return _too_long(length)
    return "it is the name of a log" if name in _LOGS else ""


def fault_of_whole(name: str) -> str:
    """Return what is wrong with a full name, ``group/task``; empty where nothing is."""
    parts = name.split("/")
    fault = next(filter(None, map(fault_of_part, parts)), "")
    if fault:
        return fault
    if len(name) * _LONGEST > MAX_NAME and (_length(name) or 0) > MAX_NAME:
        return f"it has {_length(name)} bytes with its groups, and may have {MAX_NAME}"
    return "the run's folder has that already" if _is_ours(parts[0]) else ""


def _too_long(length: int) -> str:
    return f"it has {length} bytes, and the name of a folder {MAX_NAME} at most"


def _is_ours(name: str) -> bool:
    is_log = name.endswith(_ENDS) and name[:-4].replace(".", "", 1).isdigit()
    return is_log or name in _OURS


def _length(name: str) -> int | None:
    try:
        return len(name.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        return None
