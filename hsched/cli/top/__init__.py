"""``hsched top``: the queue, live, on the whole screen.

``board``, ``frame``, ``slotmap``, ``table``, ``logview``, ``keys`` and ``text`` are pure: from
what is known to lines of spans.  ``screen`` draws them, ``usage`` looks at processes and GPUs, and
``live`` ties them to the broker, to the keyboard and to the signals.
"""
