"""The code of the two pages that describe the model, as it stands there.

Only the indentation of the first page is ours, which its text has lost, and the root of the
imports.  What a page leaves undefined, the tests that run a block define.
"""

from __future__ import annotations

#: A page, and its code in the order in which it stands there.
CURRENT, OLDER = "002.txt", "004.txt"

LEARN = """
from hsched.experiment import Config, Task, Param, Meta, PathGenerator, field
class ModelLearn(Task):
    epochs: Param[int] = 100
    model: Param[Model]
    parameters: Meta[Path] = field(default_factory=PathGenerator("parameters.pth"))
    def execute(self):
        \"\"\"Called when this task is run\"\"\"
        pass
"""

RANDOM_FOLD = """
from pathlib import Path
from hsched.experiment import Task, Param, field
from hsched.experiment.generators import PathGenerator
class RandomFold(Task):
    dataset: Param[Dataset]
    \"\"\"The source dataset\"\"\"
    topics: Param[Path] = field(default_factory=PathGenerator("topics.tsv"))
    \"\"\"Generated topics\"\"\"
    def task_outputs(self, dep) -> Adhoc:
        return dep(Dataset.C(
            topics=dep(Topics.C(path=self.topics)),
            documents=self.dataset.documents,
        ))
"""

LOADER = """
from pathlib import Path
from hsched.experiment import Config, Param, Task, Meta, LightweightTask
class Model(Config):
    ...
class ModelLoader(LightweightTask):
    path: Meta[Path]
    model: Param[Model]
    def execute(self):
        ...
class Evaluate(Task):
    model: Param[Model]
    def execute(self):
        ...
class ModelLearner(Task):
    model: Param[Model]
    def task_outputs(self, dep):
        return dep(ModelLoader.C(model=model, path=path))
    def execute(self):
        ...
"""

LOADER_USED = """
# We learn the model...
model_loader = learner.submit()
# ... and evaluate it, using the learned parameters
Evaluate.C(model=model).submit(init_tasks=[model_loader])
"""

JAVA = """
from hsched.experiment import Config
from hsched.experiment.core.types import SubmitHook
from hsched.experiment.scheduler.jobs import Job
from hsched.experiment.launchers import Launcher
class needs_java(SubmitHook):
    def __init__(self, version: int):
        self.version = version
    def spec(self):
        \"\"\"Returns a hashable identifier for this hook (so it is only applied once)\"\"\"
        return self.version
    def process(self, job: Job, launcher: Launcher):
        \"\"\"Apply the hook for a given job/launcher\"\"\"
        job.environ["JAVA_HOME"] = "THE_JAVA_HOME"
...
@needs_java(11)
class IndexCollection(Config):
    ...
"""

RESUMED = """
from hsched.experiment import ResumableTask, Param, Meta, PathGenerator, field
from pathlib import Path
class LongTraining(ResumableTask):
    epochs: Param[int] = 1000
    checkpoint: Meta[Path] = field(default_factory=PathGenerator("checkpoint.pth"))
    def execute(self):
        # Check if we're resuming from a checkpoint
        start_epoch = 0
        if self.checkpoint.exists():
            start_epoch = load_checkpoint(self.checkpoint)
        # Continue training from where we left off
        for epoch in range(start_epoch, self.epochs):
            train_one_epoch()
            save_checkpoint(self.checkpoint, epoch)
"""

SETTINGS = "workspaces: - id: my_workspace path: /path/to/workspace max_retries: 5 # Default is 3"

PER_TASK = """
task = LongTraining.C(epochs=1000).submit(max_retries=10)
"""

REMAINING = """
from hsched.experiment import ResumableTask, GracefulTimeout, Param, Meta, PathGenerator, field
from pathlib import Path
class LongTraining(ResumableTask):
    epochs: Param[int] = 1000
    checkpoint: Meta[Path] = field(default_factory=PathGenerator("checkpoint.pth"))
    def execute(self):
        start_epoch = 0
        if self.checkpoint.exists():
            start_epoch = load_checkpoint(self.checkpoint)
        for epoch in range(start_epoch, self.epochs):
            # Check if we have enough time for another epoch
            remaining = self.remaining_time()
            if remaining is not None and remaining < 300: # 5 min buffer
                save_checkpoint(self.checkpoint, epoch)
                raise GracefulTimeout("Not enough time for another epoch")
            train_one_epoch()
            save_checkpoint(self.checkpoint, epoch)
"""

GRACEFUL = """
from hsched.experiment import ResumableTask, GracefulTimeout, Param, Meta, PathGenerator, field
from pathlib import Path
class LongTraining(ResumableTask):
    epochs: Param[int] = 1000
    checkpoint: Meta[Path] = field(default_factory=PathGenerator("checkpoint.pth"))
    def execute(self):
        start_epoch = 0
        if self.checkpoint.exists():
            start_epoch = load_checkpoint(self.checkpoint)
        for epoch in range(start_epoch, self.epochs):
            # Check remaining time before starting an epoch
            remaining = self.remaining_time()
            if remaining is not None and remaining < 300: # 5 min buffer
                raise GracefulTimeout("Not enough time for another epoch")
            train_one_epoch()
            save_checkpoint(self.checkpoint, epoch)
"""

CANCELLED = """
from hsched.experiment import Task, TaskCancelled
class LongRunningTask(Task):
    def execute(self):
        try:
            for step in range(1000):
                do_work(step)
        except TaskCancelled as e:
            # Custom cleanup before termination
            # e.remaining_time contains seconds until SIGKILL (if known)
            save_partial_state()
            close_connections()
            raise # Re-raise to let framework handle exit
"""

DYNAMIC = """
from hsched.experiment import ResumableTask, Config, Param, DependentMarker
class Checkpoint(Config):
    step: Param[int]
    model: Param[Model]
class Validation(Config):
    model: Param[Model]
    def checkpoint(self, dep: DependentMarker, *, step: int) -> Checkpoint:
        \"\"\"Method that produces dynamic outputs\"\"\"
        # dep ensures that the checkpoint depends on the learning task
        # this is crucial when computing the identifier (i.e. different
        # learning rates lead to different checkpoints)
        return dep(Checkpoint.C(model=self.model, step=step))
    def compute(self, step: int):
        \"\"\"Called during task execution to register an output\"\"\"
        self.register_task_output(self.checkpoint, step=step)
class Learn(ResumableTask):
    model: Param[Model]
    validation: Param[Validation]
    learn: Param[float]
    def execute(self):
        for step in range(100):
            train_step()
            if step % 10 == 0:
                self.validation.compute(step) # Triggers callbacks
"""

WATCHING = """
def on_checkpoint(checkpoint: Checkpoint):
    # Called when a checkpoint is produced
    Evaluate.C(checkpoint=checkpoint).submit()
learn = Learn.C(model=model, validation=validation)
learn.watch_output(validation.checkpoint, on_checkpoint)
learn.submit()
"""

TERMS = """
from pathlib import Path
import pickle
import numpy as np
from hsched.experiment import Config, cache
class Terms(Config):
    @cache("terms.npy")
    def load(self, path: Path):
        if path.is_file():
            return pickle.load(path)
        # Value which can be long to compute
        weights = self.compute_weights()
        np.save(path, weights)
        return terms
"""

OLD_LEARN = """
from hsched.experiment import Config, Task, Param

class ModelLearn(Task):
    epochs: Param[int] = 100
    model: Param[Model]
    parameters: Annotated[Path, pathgenerator("parameters.pth")]

    def execute(self):
        \"\"\"Called when this task is run\"\"\"
        pass
"""

OLD_DEFAULT = """
class MyTask(Task):
    # (by default)
    def task_outputs(self, dep) -> Task:
        return dep(self)
"""

OLD_FOLD = """
class RandomFold(Task):
    dataset: Param[Dataset]
    \"\"\"The source dataset\"\"\"

    topics: Annotated[Path, pathgenerator("topics.tsv")]
    \"\"\"Generated topics\"\"\"

    def task_outputs(self, dep) -> Adhoc:
        return dep(Dataset(
            topics=dep(Topics(path=self.topics)),
            documents=self.dataset.documents,
        ))
"""

OLD_JAVA = """
from hsched.experiment import SubmitHook, Job, Launcher, submit_hook_decorator


class needs_java(SubmitHook):
    def __init__(self, version: int):
        self.version = version

    def spec(self):
        \"\"\"Returns a hashable identifier for this hook (so it is only applied once)\"\"\"
        return self.version

    def process(self, job: Job, launcher: Launcher):
        \"\"\"Apply the hook for a given job/launcher\"\"\"
        job.environ["JAVA_HOME"] = "THE_JAVA_HOME"
...

@needs_java(11)
class IndexCollection(Config):
    ...
"""

OLD_TERMS = """
class Terms(Config):
    @cache("terms.npy")
    def load(self, path: Path):
        if path.is_file():
            return pickle.load(path)

        # Value which can be long to compute
        weights = self.compute_weights()

        np.save(path, weights)
        return terms
"""

PAGES = {
    CURRENT: (
        *(LEARN, RANDOM_FOLD, LOADER, LOADER_USED, JAVA, RESUMED, SETTINGS, PER_TASK),
        *(REMAINING, GRACEFUL, CANCELLED, DYNAMIC, WATCHING, TERMS),
    ),
    OLDER: (OLD_LEARN, OLD_DEFAULT, OLD_FOLD, OLD_JAVA, OLD_TERMS),
}

#: What is wrong in the blocks themselves, and what a test that runs one does about it.
SLIPS = {
    "TERMS": (
        "`terms` is not defined; the test returns `weights`",
        "`pickle.load` takes an open file and reads no .npy; the test reads with np.load",
    ),
    "LOADER": ("`model` and `path` in task_outputs; the test's script has globals of these names",),
    "WATCHING": ("Learn is given no `learn`, which has no default; the test gives one",),
    "RANDOM_FOLD": ("`Adhoc` is not defined; the test defines it",),
}
