"""Choices: the live jobs that a request is about, and the reply that names them."""

from __future__ import annotations

from hsched.wire.message import Message


class Choice(Message):
    """What all requests about some live jobs have in common.

    ``words`` are ids (``7``, ``7.3``, ``last``, ``last~2``), ranges (``3-10``), names
    (``train``, ``name:train``) and labels (``label:night``); ``everything`` means all
    live jobs.  ``states`` narrows the choice.
    """

    words: tuple[str, ...] = ()
    everything: bool = False
    states: tuple[str, ...] = ()


class Chosen(Message):
    """The jobs that were meant, in order."""

    ids: tuple[str, ...]
