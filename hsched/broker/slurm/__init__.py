"""The engine that lets a Slurm cluster run the jobs.

The broker stays what it is: it keeps ids, record and files.  Its core takes note of what
Slurm does (``Scheduler(elsewhere=True)``); :mod:`.engine` brings both into agreement.
"""
