"""The commands for tasks: what `hsched` can do besides being the h* commands."""
