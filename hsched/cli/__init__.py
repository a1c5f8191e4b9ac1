"""The commands: parse what was typed, call the client once, show the answer.

Nothing is decided here.  Only this package imports click, prints, or exits.
"""
