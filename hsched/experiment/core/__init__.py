"""The longer names of things, as in ``hsched.experiment.core.types``."""
