"""A long run: ``python -m tests.crash.soak [MINUTES]``, random histories until the time is up.

Prints operations, crashes survived, and violations; ends with 1 at the first violation,
whose seed is printed.
"""

from __future__ import annotations

import random
import sys
import time

from tests.crash.world import CORES, World

_STEPS = 60


def main() -> int:
    """Run for as many minutes as the argument says, ten by default."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    end = time.monotonic() + minutes * 60
    operations = crashes = 0
    while time.monotonic() < end:
        seed = time.time_ns()
        world = World()
        try:
            operations += play(world, random.Random(seed))
            crashes += world.crashes
        except AssertionError as error:
            print(f"{operations} operations, {crashes} crashes survived, 1 violation")
            print(f"seed {seed}: {error}")
            return 1
        finally:
            world.close()
        print(f"\r{operations} operations, {crashes} crashes survived", end="", flush=True)
    print(f"\n{operations} operations, {crashes} crashes survived, 0 violations")
    return 0


def play(world: World, dice: random.Random) -> int:
    """Do one random history; return how many operations it had."""
    for _ in range(_STEPS):
        running, live = world.running(), world.live()
        kind = dice.choices(
            ["submit", "finish", "finish_without_broker", "cancel", "lose", "crash"],
            [8, 6, 1, 1, 1, 1],
        )[0]
        if kind == "submit" or not live:
            _submit(world, dice)
        elif kind == "crash":
            world.crash()
        elif kind == "cancel":
            world.cancel(dice.choice(live))
        elif running and kind == "lose":
            world.lose(dice.choice(running))
        elif running and kind == "finish":
            world.finish(dice.choice(running), dice.choice([0, 0, 1, 7]))
        elif running:
            world.finish_without_broker(dice.choice(running), dice.choice([0, 1]))
        world.check()
    return _STEPS


def _submit(world: World, dice: random.Random) -> None:
    upstream = str(dice.randint(1, len(world.jobs))) if world.jobs and dice.random() < 0.4 else None
    condition = dice.choice(["afterany", "afterok", "afternotok"])
    world.submit(dice.randint(0, CORES), upstream, condition)


if __name__ == "__main__":
    sys.exit(main())
