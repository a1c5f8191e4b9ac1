"""Train one model on the digits that come with scikit-learn, and keep it."""

import argparse
import time

import joblib
from data import training
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def model_of(name: str) -> BaseEstimator:
    """Return an untrained model."""
    if name == "linear":
        return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return RandomForestClassifier(200, random_state=0)


def main() -> None:
    """Be the program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=["linear", "forest"])
    parser.add_argument("--samples", type=int, default=0)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    images, labels = training(options.samples)
    begun = time.monotonic()
    model = model_of(options.name).fit(images, labels)
    joblib.dump({"name": options.name, "samples": len(labels), "model": model}, options.out)
    print(f"{options.name}: {len(labels)} digits in {time.monotonic() - begun:.1f} s")


if __name__ == "__main__":
    main()
