"""The short form of the kill storm; `make kill-storm` is the long one."""

import os
import random

from kill_storm import Storm


def test_kill_storm_short(stack, capsys):
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6)))
    # Its counts are the proof, and its seed brings it back: both stand in the log of a run that passed, too.
    with capsys.disabled():
        print(f"\nkill storm: seed {seed}")
        Storm(stack, kills=int(os.environ.get("KILLS", "3")), seed=seed, clients=4).run()
