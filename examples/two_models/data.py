"""The digits that come with scikit-learn: most of them to train on, the others to test."""

from typing import Any

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def _parts() -> list[Any]:
    found = load_digits()
    return list(
        train_test_split(
            found.data, found.target, test_size=0.25, random_state=0, stratify=found.target
        )
    )


def training(samples: int) -> tuple[Any, Any]:
    """Return images and labels to train on, the first ``samples`` or all of them."""
    images, _, labels, _ = _parts()
    return images[: samples or None], labels[: samples or None]


def testing() -> tuple[Any, Any]:
    """Return images and labels that no model has seen."""
    _, images, _, labels = _parts()
    return images, labels
