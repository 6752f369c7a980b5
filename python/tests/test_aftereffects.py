"""What steps take longer behind the watch, from times alone."""

from __future__ import annotations

import numpy as np
import pytest
from eos_watch.aftereffects import Aftereffects


@pytest.mark.parametrize("seed", range(5))
def test_finds_what_was_put_in_while_steps_change(seed: int) -> None:
    rng = np.random.default_rng(seed)
    after = Aftereffects()
    truth = {"look": 0.3, "measured": 2.0}
    for round_ in range(40):
        # Three times as slow at the end.
        bare = 10 * (1 + round_ / 20)
        for kind, excess in truth.items():
            for steps in (1, 5):
                noise = rng.normal(0, 0.05)
                after.learn(kind, steps, steps * bare + excess + noise)
        after.bare(bare)
    for kind, excess in truth.items():
        for steps in (1, 5, 30):
            assert after.of(kind, steps) == pytest.approx(excess, abs=0.05)


def test_an_outlier_and_what_is_unknown_count_nothing() -> None:
    after = Aftereffects()
    assert after.of("look", 1) == 0.0
    for time in (10.0, 10.0, 500.0, 10.0, 10.0, 10.0, 10.0, 10.0):
        after.learn("look", 1, time)
        after.bare(10.0)
    assert after.of("look", 1) == 0.0
    # A step that is faster behind the watch than a bare one is noise.
    for _ in range(20):
        after.learn("look", 1, 9.0)
        after.bare(10.0)
    assert after.of("look", 1) == 0.0


def test_a_state_goes_on_as_it_was() -> None:
    after, other = Aftereffects(), Aftereffects()
    after.learn("look", 1, 11.0)
    after.bare(10.0)
    after.learn("look", 3, 32.0)
    other.load_state_dict(after.state_dict())
    for each in (after, other):
        each.bare(10.0)
    assert other.of("look", 1) == after.of("look", 1) == 1.0
    assert other.of("look", 3) == after.of("look", 3) == 2.0
