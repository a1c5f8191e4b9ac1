"""Submit: one message carries a whole batch, done as one transaction."""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.message import Message


class Context(Message):
    """What the jobs of one submission inherit from the process that submits them.

    ``limits`` are (number, soft, hard) as :mod:`resource` has them, -1 for infinity.
    """

    environment: dict[str, str]
    cwd: str
    umask: int
    limits: tuple[tuple[int, ...], ...] = ()


class JobSpec(Message):
    """What the user asked for, as it was asked; times in seconds.

    Either ``argv`` or ``shell`` is given.  ``dependencies`` are words such as
    ``afterok:7``; ``@LABEL`` names a job of the same batch by its ``label``.
    ``stdin``, ``stdout``, ``stderr`` are paths relative to ``cwd``, in which ``%j``, ``%x``,
    ``%a``, ``%n`` and ``%%`` stand for the job's id, name, index, scheduler, and ``%``.
    ``array`` lists indices: it is a job for each then, ``array_limit`` of them at once.
    A live job with the same ``unique`` key is taken in place of a new one.  ``rerun_of`` is the
    job that this one does again; an adopted process has its ``pid``, and when it was
    started, in clock ticks since boot; a job in the foreground those of its hrun, and of
    the ``child`` that becomes the command: all of these are the broker's to fill in, and so is
    ``log_folder``, where the logs of a job with a name go below its run's folder.  The
    ``kind`` is ``task`` for a job whose name no other live task has.
    ``min_devices`` different GPUs are asked for, with ``device_memory`` bytes on each, or
    ``device_share`` (0 to 1) of the largest's memory, that others may share; without memory
    the GPUs are whole.  Where there is no GPU, the machine is the one device.
    ``jobserver`` gives make the slots of the job to share; ``on_done`` is a shell line that
    is run once the job is done.  ``engine_options`` are words such as ``partition=gpu`` for the
    cluster that runs the job.
    """

    slots: str
    argv: tuple[str, ...] = ()
    shell: str | None = None
    name: str | None = None
    labels: tuple[str, ...] = ()
    kind: str = "command"
    label: str | None = None
    environment: dict[str, str] | None = None
    stdin: str | None = None
    stdout: str | None = None
    stderr: str | None = None
    append: bool = False
    dependencies: tuple[str, ...] = ()
    priority: int = 0
    hold: bool = False
    begin_at: float | None = None
    time_limit: float | None = None
    grace: float = 5.0
    warn_signal: int | None = None
    warn_before: float = 0.0
    retries: int = 0
    retry_on: tuple[int, ...] = ()
    requeue: bool = False
    leave_children: bool = False
    unique: str | None = None
    rerun_of: str | None = None
    pid: int | None = None
    pid_started: int | None = None
    array: tuple[int, ...] = ()
    array_limit: int | None = None
    min_devices: int = 0
    device_memory: int = 0
    device_share: float = 0.0
    log_folder: str | None = None
    child: int | None = None
    child_started: int | None = None
    jobserver: bool = False
    on_done: str | None = None
    engine_options: tuple[str, ...] = ()


class SubmitRequest(Message):
    """Queue these jobs, all or none.

    ``run`` is the run that the ids in dependencies belong to, where the caller knows.
    """

    VERB: ClassVar[str] = "submit"
    context: Context
    jobs: tuple[JobSpec, ...]
    run: str | None = None


class SubmitReply(Message):
    """The ids given out, in the order of the request."""

    ids: tuple[str, ...]
