"""The words SPEC and SLOTS: what there is, and what a job asks for.

``6,2,32`` or ``cores=6,gpus=2,mem=32G``.  A field without a name belongs to the
resource of its position, so none can follow one with a name.  A total with a
suffix is measured, and a bare number then counts in that unit.  What is printed
here can be read here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf

from hsched.core.model import Request, Resource
from hsched.core.slots import MAX_SLOTS
from hsched.errors import WrongUsage

_DEFAULT_NAMES = ("cores", "gpus", "mem")
_UNITS = {"T": 1 << 40, "G": 1 << 30, "M": 1 << 20, "K": 1 << 10, "B": 1}
_SUFFIXES = {"": 0, "B": 1} | {
    suffix + tail: unit for suffix, unit in _UNITS.items() for tail in ("", "B", "IB") if unit > 1
}

#: Totals stay below this, and so fit a column of a database; it has so many digits.
_TOO_MUCH = 1 << 63
_MOST_DIGITS = 19


def default_name(position: int) -> str:
    """Return the name of the resource at ``position`` of a SPEC without names."""
    known = position < len(_DEFAULT_NAMES)
    return _DEFAULT_NAMES[position] if known else f"r{position}"


def parse_spec(word: str) -> tuple[Resource, ...]:
    """Return the resources that SPEC stands for.

    Raises:
        WrongUsage: it has an empty field, a letter, a fraction, a negative number, a
            name twice, or more numbered slots than there can be.
    """
    resources: dict[str, Resource] = {}
    for position, (name, value) in enumerate(_fields(word)):
        resource = _total(word, name or default_name(position), value)
        if resource.name in resources:
            raise WrongUsage(f"`{word}` names {resource.name} twice")
        resources[resource.name] = resource
    return tuple(resources.values())


def parse_request(word: str, resources: Sequence[Resource]) -> Request:
    """Return the amounts that SLOTS stands for; what it does not mention is 0.

    A negative number asks for all there is of that resource now.

    Raises:
        WrongUsage: it has an empty field, a letter, a fraction, too many numbers, a
            name that no resource has or that is there twice, or it asks for more
            than there is.
    """
    try:
        amounts = _amounts(word, resources)
    except WrongUsage as error:
        totals = ",".join(f"{r.name}={format_amount(r)}" for r in resources)
        raise WrongUsage(f"{error}; there is {totals}") from None
    return Request(tuple(amounts.get(i, 0) for i in range(len(resources))))


def parse_totals(word: str, resources: Sequence[Resource]) -> tuple[int, ...]:
    """Return the capacities after ``word`` was said; what it does not mention stays.

    Raises:
        WrongUsage: it is no list of totals for these resources.
    """
    capacities = [resource.capacity for resource in resources]
    for position, value in _placed(word, resources).items():
        resource = resources[position]
        number, unit = _measure(word, value)
        if unit and resource.numbered:
            raise WrongUsage(f"`{word}`: {resource.name} are counted, `{value}` has a suffix")
        capacities[position] = number * (unit or resource.unit)
        if resource.numbered and number > MAX_SLOTS:
            raise WrongUsage(f"`{word}`: {resource.name} can have {MAX_SLOTS} slots at most")
        if capacities[position] >= _TOO_MUCH:
            raise WrongUsage(f"`{word}`: `{value}` is more than any machine has")
    return tuple(capacities)


def format_amount(resource: Resource, amount: int | None = None) -> str:
    """Return an amount of ``resource`` (by default its capacity): ``6``, ``32G``."""
    amount = resource.capacity if amount is None else amount
    if resource.numbered:
        return str(amount)
    units = {suffix: unit for suffix, unit in _UNITS.items() if unit <= resource.unit}
    suffix = next(suffix for suffix, unit in units.items() if amount % unit == 0)
    return f"{amount // units[suffix]}{suffix}"


def parse_memory(word: str) -> tuple[int, float]:
    """Return the bytes that ``20G`` or ``20000`` (MiB) stands for, or a share from 0 to 1.

    One of the two is 0.  A number up to 1 without a suffix is a share: 1 is all.

    Raises:
        WrongUsage: it is neither.
    """
    try:
        share = float(word)
    except ValueError:
        share = inf
    if word.replace(".", "", 1).isdigit() and share <= 1:
        return 0, share
    try:
        number, unit = _measure(word, word)
    except WrongUsage:
        number, unit = _TOO_MUCH, 1
    if number * (unit or _UNITS["M"]) >= _TOO_MUCH:
        raise WrongUsage(f"`{word}` is no memory: 20000 (MiB), 20G, or a share such as 0.5")
    return number * (unit or _UNITS["M"]), 0.0


def format_bytes(amount: int) -> str:
    """Return a number of bytes exactly, with the largest suffix that allows it: ``20000M``."""
    suffix = next(suffix for suffix, unit in _UNITS.items() if amount % unit == 0)
    return f"{amount // _UNITS[suffix]}{suffix}" if amount else "0"


def format_amounts(amounts: Sequence[int], resources: Sequence[Resource]) -> str:
    """Return amounts, one per resource, as SPEC and SLOTS are typed: ``6,2,32G``."""
    return ",".join(map(format_amount, resources, amounts))


def _fields(word: str) -> Iterator[tuple[str, str]]:
    named = False
    for field in word.split(","):
        name, equals, value = field.strip().rpartition("=")
        name, value = name.strip(), value.strip()
        if not value or (equals and not name):
            raise WrongUsage(f"`{word}` has an empty field")
        if equals and not _is_name(name):
            raise WrongUsage(f"`{word}`: `{name}` is no name of a resource")
        if named and not equals:
            raise WrongUsage(f"`{word}`: `{value}` needs a name, like the one before it")
        named = bool(equals)
        yield name, value


def _amounts(word: str, resources: Sequence[Resource]) -> dict[int, int]:
    placed = _placed(word, resources).items()
    return {position: _amount(word, value, resources[position]) for position, value in placed}


def _placed(word: str, resources: Sequence[Resource]) -> dict[int, str]:
    # Each field by the position of its resource.
    positions = {resource.name: i for i, resource in enumerate(resources)}
    placed: dict[int, str] = {}
    for place, (name, value) in enumerate(_fields(word)):
        position = positions.get(name) if name else place
        if position is None or position >= len(resources):
            raise WrongUsage(f"`{word}`: {_no_such(name)}")
        if position in placed:
            raise WrongUsage(f"`{word}` names {resources[position].name} twice")
        placed[position] = value
    return placed


def _is_name(name: str) -> bool:
    plain = name.replace("_", "").replace("-", "")
    return name.isascii() and plain.isalnum() and name[0].isalpha()


def _total(word: str, name: str, value: str) -> Resource:
    if value.startswith("-"):
        raise WrongUsage(f"`{word}`: `{value}` is negative")
    number, unit = _measure(word, value)
    if number * unit >= _TOO_MUCH:
        raise WrongUsage(f"`{word}`: `{value}` is more than any machine has")
    if unit:
        return Resource(name, number * unit, numbered=False, unit=unit)
    if number > MAX_SLOTS:
        raise WrongUsage(
            f"`{word}`: {name} has {number} slots, the most is {MAX_SLOTS}; "
            f"with a suffix, such as {name}={number}M, it is an amount without slots"
        )
    return Resource(name, number)


def _amount(word: str, value: str, resource: Resource) -> int:
    number, unit = _measure(word, value.removeprefix("-"))
    if unit and resource.numbered:
        raise WrongUsage(f"`{word}`: {resource.name} are counted, `{value}` has a suffix")
    if value.startswith("-") and number:
        return resource.capacity
    amount = number * (unit or resource.unit)
    if amount > resource.capacity:
        raise WrongUsage(f"`{word}`: no {format_amount(resource, amount)} {resource.name}")
    return amount


def _measure(word: str, value: str) -> tuple[int, int]:
    # The number, and the unit that its suffix stands for: 0 without one.
    digits = value.rstrip("KMGTIBkmgtib")
    suffix = value[len(digits) :].upper()
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS
    if not is_number or suffix not in _SUFFIXES:
        raise WrongUsage(f"`{word}`: `{value}` is no whole number")
    return int(digits), _SUFFIXES[suffix]


def _no_such(name: str) -> str:
    return f"there is no resource `{name}`" if name else "more numbers than resources"
