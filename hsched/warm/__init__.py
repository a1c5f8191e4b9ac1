"""The warm process: everything is imported, and each command is a fork away.

``process`` is its loop, ``request`` what the thin client (``hsched/native/thin``) asks,
and ``child`` how a fork becomes the command.
"""
