"""Two models side by side, and when both are trained, who reads digits better.

hsched create task.py                    # writes digits.svg here
hsched create task.py -- --samples 300   # in small
"""

import argparse
import shlex
import sys
from pathlib import Path

import hsched
from hsched.tasks import ProcTask, TaskGroup

HERE = Path(__file__).resolve().parent
MODELS = ("linear", "forest")

parser = argparse.ArgumentParser()
parser.add_argument("--samples", default="0", help="how many digits to train on; 0 for all")
parser.add_argument("--picture", default="digits.svg")
options = parser.parse_args()


def python(script: str, *words: str) -> str:
    """Return a line that runs a script beside this one."""
    return shlex.join([sys.executable, str(HERE / script)]) + " " + " ".join(words)


train = [
    ProcTask(
        python("train.py", name, "--samples", options.samples, '--out "${fullpath}/model"'),
        task_name=name,
        requires_memory_per_device=500,
    )
    for name in MODELS
]
evaluate = ProcTask(
    python(
        "evaluate.py",
        *(f'"${{run_dir}}/digits/train/{name}/model"' for name in MODELS),
        "--picture",
        shlex.quote(options.picture),
    ),
    task_name="evaluate",
    requires_memory_per_device=500,
)
stages = [TaskGroup(train, group_name="train"), evaluate]
hsched.export(TaskGroup(stages, execute_strategy="sequential", group_name="digits"))
