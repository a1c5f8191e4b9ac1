"""Every block of code of the two pages works, read with our root in the imports."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from hsched.experiment import settings
from tests.experiment import page_blocks as page
from tests.experiment.lab import Lab

DATA = Path(__file__).parents[1] / "data" / "pages"
CODE = re.compile(r"(class \w+\(|def |from \w+|import |@|with |raise |return |for )")


def lines_of(text: str) -> list[str]:
    """Return the lines of code that are not blank, without their indentation."""
    text = text.replace("hsched.experiment", "experimaestro")
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("name", page.PAGES)
def test_the_blocks_are_those_of_the_page(name: str) -> None:
    found = "\n".join(lines_of((DATA / name).read_text()))
    position = 0
    for block in page.PAGES[name]:
        place = found.find("\n".join(lines_of(block)), position)
        assert place >= 0, block
        position = place + 1


@pytest.mark.parametrize("name", page.PAGES)
def test_no_line_of_code_of_the_page_is_left_out(name: str) -> None:
    ours = {line for block in page.PAGES[name] for line in lines_of(block)}
    theirs = [line for line in lines_of((DATA / name).read_text()) if CODE.match(line)]
    prose = {line for line in theirs if line not in ours}
    assert all(not line.endswith((":", ")", "]")) for line in prose), prose
    assert len(theirs) > 15


def script(*parts: str, run: str) -> str:
    """Return a script of these parts, and what is run in an experiment."""
    body = textwrap.indent(textwrap.dedent(run).strip(), " " * 8)
    head = 'if __name__ == "__main__":\n    with experiment(HERE / "W", "e") as xp:\n'
    return "\n".join([*(textwrap.dedent(part) for part in parts), head + body, ""])


MODEL = "class Model(Config):\n    size: Param[int] = 1\n"
NAMES = "from typing import Annotated\nfrom hsched.experiment import pathgenerator, cache\n"


@pytest.mark.parametrize("block", [page.LEARN, page.OLD_LEARN], ids=["current", "older"])
def test_defining_a_task(lab: Lab, block: str) -> None:
    run = """
        learn = ModelLearn.C(model=Model.C()).submit()
        assert learn.parameters == learn.jobpath / "parameters.pth"
        assert learn.epochs == 100
        same = ModelLearn.C(model=Model.C(), epochs=100).submit()
        assert same.job is learn.job
    """
    lab.ok(script(NAMES, MODEL, block, run=run))
    assert (lab.task("modellearn") / "modellearn.done").exists()


def test_the_default_outputs(lab: Lab) -> None:
    tasks = "    def execute(self):\n        mark('my task')\n"
    after = """
        class After(Task):
            task: Param[MyTask]
            def execute(self):
                mark("after")
    """
    run = "After.C(task=MyTask.C().submit()).submit()"
    lab.ok(script(page.OLD_DEFAULT.rstrip() + "\n" + tasks, after, run=run))
    assert lab.marks() == ["my task", "after"]


DATASET = """
class Documents(Config):
    name: Param[str]
class Topics(Config):
    path: Param[Path]
class Dataset(Config):
    documents: Param[Documents]
    topics: Param[Topics]
Adhoc = Dataset
"""
CONSUMERS = """
    def execute(self):
        time.sleep(0.1)
        self.topics.write_text("topics")
        mark("fold")
class OfDocuments(Task):
    documents: Param[Documents]
    def execute(self):
        mark("of documents")
class OfTopics(Task):
    topics: Param[Topics]
    def execute(self):
        mark("of " + self.topics.path.read_text())
class OfDataset(Task):
    dataset: Param[Dataset]
    def execute(self):
        mark("of dataset")
"""


@pytest.mark.parametrize("block", [page.RANDOM_FOLD, page.OLD_FOLD], ids=["current", "older"])
def test_task_outputs(lab: Lab, block: str) -> None:
    run = """
        documents = Documents.C(name="d")
        source = Dataset.C(documents=documents, topics=Topics.C(path=Path("/t")))
        dataset = RandomFold.C(dataset=source).submit()
        for task in (OfDocuments.C(documents=dataset.documents), OfTopics.C(topics=dataset.topics),
                     OfDataset.C(dataset=dataset)):
            print([one.name for one in task.submit().job.dependencies])
    """
    said = lab.ok(script(NAMES, DATASET, block.rstrip() + "\n" + CONSUMERS, run=run))
    assert said.splitlines() == ["[]", "['randomfold']", "['randomfold']"]
    marks = lab.marks()
    assert sorted(marks) == ["fold", "of dataset", "of documents", "of topics"]
    assert marks.index("fold") < min(marks.index("of topics"), marks.index("of dataset"))


def test_initialization_tasks(lab: Lab) -> None:
    run = "model, path = Model.C(), Path('/parameters')\nlearner = ModelLearner.C(model=model)\n"
    text = script(page.LOADER, run=run + page.LOADER_USED + "print([j.name for j in xp.jobs])")
    assert lab.ok(text) == "['modellearner', 'evaluate']\n"
    assert (lab.task("evaluate") / "evaluate.done").exists()


@pytest.mark.parametrize("block", [page.JAVA, page.OLD_JAVA], ids=["current", "older"])
def test_submit_hooks(lab: Lab, block: str) -> None:
    task = """
        class Index(Task):
            collection: Param[IndexCollection]
            def execute(self):
                mark(os.environ["JAVA_HOME"])
    """
    lab.ok(script(block, task, run="Index.C(collection=IndexCollection.C()).submit()"))
    assert lab.marks() == ["THE_JAVA_HOME"]


TRAINING = """
def load_checkpoint(path):
    return int(path.read_text()) + 1
def save_checkpoint(path, epoch):
    path.write_text(str(epoch))
def train_one_epoch():
    mark("epoch")
"""


@pytest.mark.parametrize(
    ("block", "options"),
    [
        (page.RESUMED, ""),
        (page.REMAINING, ""),
        (page.GRACEFUL, ""),
        (page.REMAINING, "time=100, max_retries=1"),
        (page.GRACEFUL, "time=100, max_retries=1"),
    ],
)
def test_resumable_tasks(lab: Lab, block: str, options: str) -> None:
    done = lab.run(script(TRAINING, block, run=f"LongTraining.C(epochs=3).submit({options})"))
    folder = lab.task("longtraining")
    if not options:
        assert lab.marks() == ["epoch"] * 3
        assert (folder / "checkpoint.pth").read_text() == "2"
        return
    assert done.returncode == 1
    assert "(timeout: Not enough time for another epoch)" in done.stderr
    assert lab.marks() == []
    assert (folder / "checkpoint.pth").exists() == (block is page.REMAINING)


def test_a_thousand_epochs_with_ten_retries(lab: Lab) -> None:
    slow = TRAINING + "    if int(os.environ['HSCHED_ATTEMPT']) < 3: raise GracefulTimeout\n"
    text = script(slow, page.RESUMED, run=page.PER_TASK + "assert task.job.asked.max_retries == 10")
    lab.ok("from hsched.experiment import GracefulTimeout\n" + text)
    assert lab.marks() == ["epoch"] * 1002


def test_the_settings(home: Path) -> None:
    found = re.match(r"(workspaces:) (- id: \w+) (path: \S+) (max_retries: 5) (#.*)", page.SETTINGS)
    assert found is not None
    text = "{}\n  {}\n    {}\n    {} {}\n".format(*found.groups())
    path = home / "settings.yaml"
    path.write_text(text)
    (space,) = settings.load(path).workspaces
    assert (space.id, str(space.path), space.max_retries) == (
        "my_workspace",
        "/path/to/workspace",
        5,
    )


def test_graceful_termination(lab: Lab) -> None:
    names = """
        import signal
        def do_work(step):
            mark(f"step {step}")
            if step == 2:
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(60)
        def save_partial_state():
            mark("saved")
        def close_connections():
            mark("closed")
    """
    done = lab.run(script(names, page.CANCELLED, run="LongRunningTask.C().submit()"))
    assert done.returncode == 1
    assert lab.marks() == ["step 0", "step 1", "step 2", "saved", "closed"]
    assert '"cancelled"' in (lab.task("longrunningtask") / "longrunningtask.failed").read_text()


def test_dynamic_outputs(lab: Lab) -> None:
    names = """
        def train_step():
            pass
    """
    evaluate = """
        class Evaluate(Task):
            checkpoint: Param[Checkpoint]
            def execute(self):
                mark(f"{self.checkpoint.step:02}")
    """
    watching = page.WATCHING.replace("validation=validation)", "validation=validation, learn=0.1)")
    run = "model = Model.C()\nvalidation = Validation.C(model=model)\n" + watching
    lab.ok(script(names, MODEL, page.DYNAMIC, evaluate, run=run))
    assert sorted(lab.marks()) == [f"{step:02}" for step in range(0, 100, 10)]


@pytest.mark.parametrize("block", [page.TERMS, page.OLD_TERMS], ids=["current", "older"])
def test_caches(lab: Lab, block: str) -> None:
    block = block.replace("return terms", "return weights").replace("pickle.load", "np.load")
    rest = """
    def compute_weights(self):
        mark("computed")
        return np.arange(3)
class Use(Task):
    who: Param[int]
    terms: Param[Terms]
    def execute(self):
        mark(str(self.terms.load().sum()))
"""
    head = "import numpy as np\n"
    run = "for who in range(2):\n    Use.C(who=who, terms=Terms.C()).submit()"
    lab.ok(script(NAMES, head, block.rstrip() + "\n" + rest, run=run))
    assert sorted(lab.marks()) == ["3", "3", "computed"]


def test_the_slips_are_of_blocks_that_are_here() -> None:
    assert all(hasattr(page, name) and slips for name, slips in page.SLIPS.items())
