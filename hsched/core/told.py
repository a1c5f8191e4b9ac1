"""What a command is told of the slots that it holds."""

from __future__ import annotations

from collections.abc import Sequence

from hsched.core.devices import GPUS
from hsched.core.model import Allocation, Resource


def slot_variables(
    resources: Sequence[Resource], held: Allocation, cuda: Sequence[str] = ()
) -> dict[str, str]:
    """Return ``QUEUEn`` for each resource, and the GPU variables where there are GPUs.

    ``cuda`` has the word for CUDA of each GPU by slot; what is beyond goes by its slot.
    """
    variables: dict[str, str] = {}
    for index, resource in enumerate(resources):
        is_gpus = resource.name == GPUS and resource.numbered
        own = (held.devices if is_gpus and resource.capacity else ()) or held.slots[index]
        slots = ",".join(map(str, own))
        amount = held.amounts[index] // resource.unit if resource.unit > 1 else held.amounts[index]
        variables[f"QUEUE{index}"] = slots if resource.numbered else str(amount)
        if is_gpus and (slots or resource.capacity):
            words = (cuda[slot] if slot < len(cuda) else str(slot) for slot in own)
            variables["CUDA_VISIBLE_DEVICES"] = ",".join(words)
            variables["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # as NVML counts; CUDA does not
    return variables
