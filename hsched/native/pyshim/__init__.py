"""The shim in Python: the parts of ``shim.c``, each under the name it has in C.

``shim.py`` starts it under ``python -I -S`` as a package of its own, outside of
``hsched``: hence the relative imports, and none of anything else but the
standard library.  As a package it is compiled once, not for each job.
"""
