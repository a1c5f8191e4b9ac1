"""The broker: the one long-lived process, and the only place with edges.

Sockets, processes, files and clocks live here; every rule about who runs lives in
:mod:`hsched.core`.
"""
