"""The GPUs of this scheduler: which slot is which, and who uses them besides its jobs."""
