"""What would have been: the scheduler, run over a trace in virtual time.

The core that decides is the very one behind the broker.  Nothing here starts a
process or waits: three months take seconds.  :mod:`hsched.simulate.history` is not
imported here, since it alone needs the client and its socket.
"""

from __future__ import annotations

from hsched.simulate.engine import Placement, simulate
from hsched.simulate.metrics import Metrics, measure
from hsched.simulate.plot import draw
from hsched.simulate.swf import read_swf
from hsched.simulate.workload import TraceJob, Workload

__all__ = [
    "Metrics",
    "Placement",
    "TraceJob",
    "Workload",
    "draw",
    "measure",
    "read_swf",
    "simulate",
]
