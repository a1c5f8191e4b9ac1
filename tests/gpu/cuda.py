"""CUDA work in few words: ``cuda.py MIB`` names the GPUs it sees, and holds memory on each.

It prints a line with their UUIDs once the memory is there, and waits for the end of stdin,
or for ever where the second argument is ``forever``.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import uuid


def main() -> None:
    """Hold the memory."""
    cuda = ctypes.CDLL("libcuda.so.1")
    count = ctypes.c_int()
    _check("cuInit", cuda.cuInit(0))
    _check("cuDeviceGetCount", cuda.cuDeviceGetCount(ctypes.byref(count)))
    print(*[_hold(cuda, device, int(sys.argv[1]) << 20) for device in range(count.value)])
    sys.stdout.flush()
    if sys.argv[2:] == ["forever"]:
        signal.pause()
    sys.stdin.read()


def _hold(cuda: ctypes.CDLL, ordinal: int, size: int) -> str:
    device, name = ctypes.c_int(), (ctypes.c_ubyte * 16)()
    context, memory = ctypes.c_void_p(), ctypes.c_uint64()
    _check("cuDeviceGet", cuda.cuDeviceGet(ctypes.byref(device), ordinal))
    _check("cuDeviceGetUuid", cuda.cuDeviceGetUuid(name, device))
    retain = cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), device)
    _check("cuDevicePrimaryCtxRetain", retain)
    _check("cuCtxSetCurrent", cuda.cuCtxSetCurrent(context))
    _check("cuMemAlloc", cuda.cuMemAlloc_v2(ctypes.byref(memory), ctypes.c_size_t(size)))
    fill = cuda.cuMemsetD8_v2(memory, ctypes.c_ubyte(1), ctypes.c_size_t(size))
    _check("cuMemsetD8", fill)
    return f"GPU-{uuid.UUID(bytes=bytes(name))}"


def _check(call: str, status: int) -> None:
    if status:
        raise SystemExit(f"{call}: CUDA error {status}")


if __name__ == "__main__":
    main()
