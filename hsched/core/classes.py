"""The classes of ready jobs by what they need: which is the first that fits?

A tree.  A node with few classes keeps them in order; one with many has parted them
by the magnitude of one need (its number of binary digits), each level by another,
so that needs in a leaf agree to a factor of two.  A node knows a floor that no class
in it is under, a ceiling that none is over, and where its first class stands.  A
search leaves out a node whose floor does not fit, takes the first class of one whose
ceiling fits, and goes down into the others only.  Floor and ceiling may be loose,
never wrong; they are made tight when a search has gone down in vain.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from math import inf

from hsched.core.job import JobClass
from hsched.core.model import JobId

#: Amounts, one per resource; where devices can be shared, how many of them and how many
#: bytes of each; and last a length of time in seconds.
Needs = Sequence[float]
#: Where a class stands in the order: the smaller -priority first, then the smaller first id.
Place = tuple[int, JobId]
Entry = tuple[int, JobId, JobClass]

#: A node with more classes than this is parted, if a need is left to part them by.
MANY = 32


def fits(needs: Needs, limit: Needs) -> bool:
    """Whether ``needs`` is nowhere above ``limit``."""
    for need, most in zip(needs, limit, strict=True):  # noqa: SIM110 - hot: no generator
        if need > most:
            return False
    return True


class Node:
    """Classes whose needs agree in magnitude in the first ``depth`` places."""

    __slots__ = ("_is_loose", "ceiling", "children", "depth", "entries", "floor", "place")

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.floor: tuple[float, ...] = ()
        self.ceiling: tuple[float, ...] = ()
        #: Where the first class stands; None without classes.
        self.place: Place | None = None
        #: The classes in order; or, where they were too many, the next level by magnitude.
        self.entries: list[Entry] = []
        self.children: dict[int, Node] = {}
        self._is_loose = False

    def move(self, cls: JobClass, place: Place | None) -> None:
        """Take ``cls`` from where it stands to ``place``; None is outside."""
        if self.children:
            child = self._child(cls)
            child.move(cls, place)
            if child.place is None:
                del self.children[_magnitude(cls.needs[self.depth])]
            places = [node.place for node in self.children.values() if node.place is not None]
            self.place = min(places, default=None)
        else:
            if cls.place is not None:
                del self.entries[bisect_left(self.entries, cls.place)]
            if place is not None:
                insort(self.entries, (*place, cls))
            self.place = self.entries[0][:2] if self.entries else None
            if len(self.entries) > MANY and self.depth < len(cls.needs):
                self._part()
        if place is None:
            self._is_loose = True
        elif cls.place is None:
            self._bound((self.floor, self.ceiling, cls.needs) if self.floor else (cls.needs,))

    def search(self, limit: Needs, before: Place | None = None) -> Place | None:
        """Return where the first class stands whose needs fit ``limit``.

        None where there is none, or none that stands ``before`` a place.
        """
        if self.place is None or (before is not None and self.place >= before):
            return None
        if not fits(self.floor, limit):
            return None
        if fits(self.ceiling, limit):
            return self.place
        within = self._search_children if self.children else self._search_entries
        found = within(limit, before)
        if found is None and before is None and self._is_loose:
            self._tighten()
        return found

    def after(self, cls: JobClass) -> tuple[float, float] | None:
        """Return where the class behind ``cls`` stands, the end where there is none.

        None where the classes are too many to be in order here.
        """
        if self.children or cls.place is None:
            return None
        behind = bisect_right(self.entries, cls.place, key=lambda entry: entry[:2])
        return self.entries[behind][:2] if behind < len(self.entries) else (inf, inf)

    def has_between(self, low: Sequence[Needs], high: Needs) -> bool:
        """Whether the needs of some class fit ``high`` and none of ``low``."""
        if self.place is None or not fits(self.floor, high):
            return False
        if any(fits(self.ceiling, limit) for limit in low):
            return False
        if self.children:
            return any(child.has_between(low, high) for child in self.children.values())
        return any(
            fits(cls.needs, high) and not any(fits(cls.needs, limit) for limit in low)
            for *_, cls in self.entries
        )

    def classes(self) -> Iterator[JobClass]:
        """Yield all classes, in no order that means anything."""
        for child in self.children.values():
            yield from child.classes()
        for entry in self.entries:
            yield entry[2]

    def check(self) -> None:
        """Assert that floor, ceiling and place are right, here and below."""
        for child in self.children.values():
            child.check()
        for cls in self.classes():
            assert fits(self.floor, cls.needs), "a floor is too high"
            assert fits(cls.needs, self.ceiling), "a ceiling is too low"
        places = [cls.place for cls in self.classes() if cls.place is not None]
        assert self.place == min(places, default=None), "a first class is not the first"

    def _search_children(self, limit: Needs, before: Place | None) -> Place | None:
        best: Place | None = None
        for child in self.children.values():
            found = child.search(limit, before)
            if found is not None:
                best = before = found
        return best

    def _search_entries(self, limit: Needs, before: Place | None) -> Place | None:
        entries = self.entries
        if before is not None:
            entries = entries[: bisect_left(entries, before)]
        for entry in entries:
            for need, most in zip(entry[2].needs, limit, strict=True):
                if need > most:
                    break  # what fits() does, without a call for each
            else:
                return entry[:2]
        return None

    def _child(self, cls: JobClass) -> Node:
        magnitude = _magnitude(cls.needs[self.depth])
        child = self.children.get(magnitude)
        if child is None:
            child = self.children[magnitude] = Node(self.depth + 1)
        return child

    def _part(self) -> None:
        for entry in self.entries:
            self._child(entry[2]).entries.append(entry)
        for child in self.children.values():
            child.place = child.entries[0][:2]
            child._tighten()
        self.entries = []

    def _tighten(self) -> None:
        vectors: list[tuple[float, ...]] = [entry[2].needs for entry in self.entries]
        for child in self.children.values():
            vectors += child.floor, child.ceiling
        self._bound(vectors)
        self._is_loose = False

    def _bound(self, vectors: Iterable[tuple[float, ...]]) -> None:
        columns = list(zip(*vectors, strict=True))
        self.floor = tuple(map(min, columns))
        self.ceiling = tuple(map(max, columns))


def _magnitude(need: float) -> int:
    return -1 if need == inf else int(need).bit_length()
