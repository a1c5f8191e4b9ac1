"""What this machine has, for `hstart auto`."""

from __future__ import annotations

from hsched.devices.reading import Reading

#: The SPEC that stands for what there is.
AUTO = "auto"


def auto_spec(reading: Reading, gpus: int | None = None) -> str:
    """Return the SPEC of this machine: its cores, its GPUs, and its memory in whole GiB.

    ``gpus`` is how many of the devices are ours; by default all that ``reading`` has.
    """
    import psutil  # slow to import, and needed here alone

    cores = len(psutil.Process().cpu_affinity())
    memory = psutil.virtual_memory().total
    amount = f"{memory >> 30}G" if memory >> 30 else f"{memory >> 20}M"
    return f"cores={cores},gpus={len(reading.devices) if gpus is None else gpus},mem={amount}"
