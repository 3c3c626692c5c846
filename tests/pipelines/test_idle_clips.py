"""Portraits with idle life: blinks and head sway in frames and landmarks."""

import numpy as np
import pytest
import torch


def test_idle_life_moves_frames_and_landmarks_and_is_seeded(pipe, portrait):
    def made(**given):
        stream = pipe.stream("Hi.", portrait, num_frames=40, renderer="geometric", **given)
        return stream.landmarks, list(stream)[39]

    def seeded(seed, **given):
        return made(generator=torch.Generator().manual_seed(seed), **given)

    still, alive, again = made(), made(idle=True), made(idle=True)
    assert np.array_equal(alive[1], again[1]) and np.array_equal(alive[0], again[0])
    assert (alive[1] != still[1]).mean() > 0.1
    assert 0.1 < 256 * np.abs(alive[0] - still[0])[39, :400].max() < 6  # pixels
    one, same, other = (seeded(seed, idle=0.5)[1] for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


@pytest.mark.parametrize("value", [-1, 2.5, float("nan"), "yes", None])
def test_idle_out_of_range(pipe, portrait, value):
    with pytest.raises(ValueError, match="idle: .*; wants True, False or a strength from 0 to 2"):
        pipe.stream("Hi.", portrait, idle=value, renderer="geometric")
