"""The real Hydra writes where the task's logs are, as the page promises."""

from __future__ import annotations

from tests.e2e.shell import Shell
from tests.tasks.test_create import run_folder

TRAIN = """
import logging
import hydra
from omegaconf import DictConfig

@hydra.main(version_base=None, config_path=None)
def main(config: DictConfig) -> None:
    logging.getLogger().info("lr is %s", config.lr)
    print("trained with", config.lr)

main()
"""


def test_hydra_writes_into_the_tasks_folder(lab: Shell) -> None:
    (lab.folder / "train.py").write_text(TRAIN)
    # As it is typed on the page, quotes and backslashes included, with arguments of its own.
    line = r'hsched create "python train.py" -n train -- hydra.run.dir="\${run_dir}/\${task_name}"'
    assert lab.sh(f"{line} +lr=0.3") == "train"
    lab.ok("hwait", "train")
    folder = run_folder(lab) / "train"
    assert lab.ok("hlog", "train").splitlines()[-1] == "trained with 0.3"
    assert "lr is 0.3" in (folder / "train.log").read_text()
    assert (folder / ".hydra" / "overrides.yaml").read_text() == "- +lr=0.3\n"
    assert (folder / "stdout.log").exists()
    sweep = r"""hsched create "python train.py" -m -n 'lr-${lr}' -- """
    names = lab.sh(sweep + r"""hydra.run.dir='${run_dir}/${task_name}' +lr=[0.1,0.2]""").split()
    assert names == ["lr-0.1", "lr-0.2"]
