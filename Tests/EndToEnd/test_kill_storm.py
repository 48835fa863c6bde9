"""The short form of the kill storm; `make kill-storm` is the long one."""

import os
import random

from kill_storm import Storm


def test_kill_storm_short(stack):
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6)))
    print(f"seed {seed}")
    Storm(stack, kills=int(os.environ.get("KILLS", "3")), seed=seed, clients=4).run()
