"""NVIDIA's library NVML, asked by a process of its own: it can hang, and then only that does."""
