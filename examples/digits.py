"""Two learners over several seeds, on the digits that scikit-learn ships.

A grid as in any paper: each learner is trained with each seed, writes a checkpoint after every
few passes over the data, and each checkpoint is evaluated as soon as it appears, while the
training goes on.  Kill this at any moment and run it again: it takes up where it was.

    python examples/digits.py RESULTS [--seeds 3] [--passes 20]

At the end there is a table, and a plot in RESULTS/accuracy.svg.
"""

from __future__ import annotations

import argparse
import pickle
from collections import defaultdict
from pathlib import Path
from typing import Any

from hsched.experiment import (
    Config,
    DependentMarker,
    GracefulTimeout,
    Meta,
    Param,
    PathGenerator,
    ResumableTask,
    Task,
    experiment,
    field,
    progress,
    tag,
    tags,
)

CLASSES = range(10)


class Data(Config):
    """Digits of 8 x 8 pixels, one part of them kept for evaluation."""

    test_share: Param[float] = field(default=0.25)

    def parts(self) -> Any:
        """Return training and test images, and their labels."""
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split

        images, labels = load_digits(return_X_y=True)
        return train_test_split(images / 16, labels, test_size=self.test_share, random_state=0)


class Learner(Config):
    """What can be trained pass by pass."""

    def build(self, seed: int) -> Any:
        """Return a new estimator."""
        raise NotImplementedError


class Linear(Learner):
    """Logistic regression by stochastic gradient descent."""

    rate: Param[float] = field(default=0.01)

    def build(self, seed: int) -> Any:
        """Return a new estimator."""
        from sklearn.linear_model import SGDClassifier

        return SGDClassifier(
            loss="log_loss", learning_rate="constant", eta0=self.rate, random_state=seed
        )


class Network(Learner):
    """A network with one hidden layer."""

    hidden: Param[int]

    def build(self, seed: int) -> Any:
        """Return a new estimator."""
        from sklearn.neural_network import MLPClassifier

        return MLPClassifier((self.hidden,), learning_rate_init=0.005, random_state=seed)


class Checkpoint(Config):
    """An estimator as it was after so many passes."""

    passes: Param[int]
    path: Meta[Path]


class Train(ResumableTask):
    """Trains a learner, and gives out a checkpoint every few passes."""

    learner: Param[Learner]
    data: Param[Data]
    seed: Param[int]
    passes: Param[int]
    every: Param[int]
    folder: Meta[Path] = field(default_factory=PathGenerator("checkpoints"))

    def checkpoint(self, dep: DependentMarker, *, passes: int) -> Checkpoint:
        """Return what `register_task_output` tells the experiment of."""
        return dep(Checkpoint.C(passes=passes, path=self.folder / f"{passes:04}.pickle"))

    def execute(self) -> None:
        """Train, from the last checkpoint on."""
        done, estimator = self._resume()
        images, _, labels, _ = self.data.parts()
        for passes in range(done + 1, self.passes + 1):
            left = self.remaining_time()
            if left is not None and left < 30:
                raise GracefulTimeout("the next pass might not end in time")
            estimator.partial_fit(images, labels, classes=CLASSES)
            progress(passes / self.passes, desc=f"{passes} passes")
            if passes % self.every == 0:
                self._save(passes, estimator)

    def _resume(self) -> tuple[int, Any]:
        found = sorted(self.folder.glob("*.pickle"))
        if not found:
            return 0, self.learner.build(self.seed)
        passes = int(found[-1].stem)
        print(f"resumed after {passes} passes", flush=True)
        # Told again, in case that we were killed before the first time.
        self.register_task_output(self.checkpoint, passes=passes)
        return passes, pickle.loads(found[-1].read_bytes())

    def _save(self, passes: int, estimator: Any) -> None:
        self.folder.mkdir(exist_ok=True)
        whole = self.folder / f"{passes:04}.pickle"
        half = whole.with_suffix(".half")
        half.write_bytes(pickle.dumps(estimator))
        half.replace(whole)
        self.register_task_output(self.checkpoint, passes=passes)


class Evaluate(Task):
    """Tells how many of the digits that were kept a checkpoint knows."""

    checkpoint: Param[Checkpoint]
    data: Param[Data]
    accuracy: Meta[Path] = field(default_factory=PathGenerator("accuracy.txt"))

    def execute(self) -> None:
        """Evaluate."""
        _, images, _, labels = self.data.parts()
        estimator = pickle.loads(self.checkpoint.path.read_bytes())
        self.accuracy.write_text(f"{estimator.score(images, labels)}\n")


#: The accuracies of all seeds, by learner and number of passes.
Results = dict[tuple[str, int], list[float]]


def run(workspace: Path, seeds: int, passes: int, every: int) -> Results:
    """Run the experiment, and return what it has shown."""
    data = Data.C()
    evaluations: list[tuple[str, Any]] = []
    learners = {"linear": Linear.C(), "network": Network.C(hidden=32)}
    with experiment(workspace, "digits"):
        for name, learner in learners.items():
            for seed in range(seeds):
                train = Train.C(
                    learner=learner, data=data, seed=tag(seed), passes=passes, every=every
                ).tag("learner", name)

                def _evaluate(checkpoint: Checkpoint, name: str = name) -> None:
                    task = Evaluate.C(checkpoint=checkpoint, data=data)
                    evaluations.append((name, task.submit()))

                train.watch_output(train.checkpoint, _evaluate)
                train.submit()
    results: Results = defaultdict(list)
    for name, task in evaluations:
        results[name, task.checkpoint.passes].append(float(task.accuracy.read_text()))
        assert tags(task)["learner"] == name
    return dict(results)


def table(results: Results) -> str:
    """Return the means over the seeds: a line for each number of passes, a column a learner."""
    learners = sorted({name for name, _ in results})
    lines = ["passes  " + "  ".join(f"{name:>16}" for name in learners)]
    for passes in sorted({passes for _, passes in results}):
        cells = [_cell(results[name, passes]) for name in learners]
        lines.append(f"{passes:6}  " + "  ".join(f"{cell:>16}" for cell in cells))
    return "\n".join(lines)


def _cell(values: list[float]) -> str:
    mean = sum(values) / len(values)
    return f"{mean:.3f} ± {(max(values) - min(values)) / 2:.3f}"


def plot(results: Results) -> str:
    """Return a picture of the accuracies, as SVG: a curve of means, and a point a seed."""
    last = max(passes for _, passes in results)
    low = min(min(values) for values in results.values())

    def _place(passes: int, accuracy: float) -> str:
        share = (accuracy - low) / (1 - low) if low < 1 else 1.0
        return f"{50 + 400 * passes / last:.1f},{270 - 250 * share:.1f}"

    marks = []
    for name, colour in zip(sorted({name for name, _ in results}), ("#0a6", "#c40"), strict=False):
        points = sorted(
            (passes, values) for (one, passes), values in results.items() if one == name
        )
        curve = " ".join(_place(passes, sum(v) / len(v)) for passes, v in points)
        marks.append(f'<polyline points="{curve}" fill="none" stroke="{colour}"/>')
        for passes, values in points:
            for x, y in (_place(passes, value).split(",") for value in values):
                marks.append(f'<circle cx="{x}" cy="{y}" r="2" fill="{colour}"/>')
        y = 230 + 15 * len([one for one in marks if one.startswith("<text")])
        marks.append(f'<text x="380" y="{y}" fill="{colour}">{name}</text>')
    axes = (
        '<path d="M50 20V270H450" fill="none" stroke="#888"/>'
        f'<text x="5" y="270">{low:.2f}</text><text x="5" y="25">1.00</text>'
        f'<text x="400" y="290">{last} passes</text>'
    )
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 460 300" font-size="12">'
    return "\n".join([head, axes, *marks, "</svg>", ""])


def main() -> None:
    """Be the program."""
    parser = argparse.ArgumentParser(description="Two learners over several seeds.")
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--passes", type=int, default=20)
    parser.add_argument("--every", type=int, default=5)
    given = parser.parse_args()
    results = run(given.workspace, given.seeds, given.passes, given.every)
    print(table(results))
    picture = given.workspace / "accuracy.svg"
    picture.write_text(plot(results))
    print(f"plot: {picture}")


if __name__ == "__main__":
    main()
