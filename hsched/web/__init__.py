"""A page on loopback that shows a scheduler live, and lets its user hold, release and end jobs.

``guard`` says who may ask, ``live`` knows how the scheduler stands, ``server`` answers;
``static/`` is what the browser runs.  Needs aiohttp, the extra ``web``.
"""
