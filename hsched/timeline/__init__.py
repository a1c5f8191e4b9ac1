"""A scheduler's past as a picture: who held which slot when, and who waited.

``history`` asks a client, ``schedule`` is what is drawn, ``layout`` says where (all of it
pure), ``svg`` and ``page`` write it down.
"""

from __future__ import annotations

from hsched.timeline.layout import Options, lay_out
from hsched.timeline.page import page
from hsched.timeline.schedule import Meter, Period, Schedule, Stay
from hsched.timeline.svg import draw

__all__ = ["Meter", "Options", "Period", "Schedule", "Stay", "draw", "lay_out", "page"]
