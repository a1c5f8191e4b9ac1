"""The scheduler as a pure machine: events in, effects out.

Nothing in this package touches a socket, process, file or clock.  Time comes in
as an argument in seconds of one monotonic clock, and what should be done in the
world goes out as an effect.
"""
