import pytest
import torch

from text2lip.faces.canonical import lip_gap, lip_width
from text2lip.faces.topology import LIPS, canonical_mesh, driven_index
from text2lip.motion.seal import inner_gap
from text2lip.motion.shaping import DENTAL_GAP, DRAWN_IN, PURSED, VOWEL_GAP, draw_in, shape_lips
from text2lip.text.visemes import FEATURES, PHONE_TO_ID, letter_features


REST = torch.zeros(57, 2)
REST[: len(LIPS)] = torch.from_numpy(canonical_mesh()[0][list(LIPS), :2] * [1, -1]).float()
REST /= lip_width(REST.numpy())


def open_mouth(frames: int, gap: float) -> torch.Tensor:
    motion = torch.zeros(1, frames, 57, 2)
    motion[..., driven_index((95, 88, 178, 87, 14, 317, 402, 318, 324)), 1] = gap
    return motion


def shape(motion, letter, start=0.4, end=0.5, fps=25):
    ids = torch.tensor([[PHONE_TO_ID[letter]]])
    features = torch.from_numpy(letter_features(letter).copy())[None, None]
    return shape_lips(motion, ids, features, torch.tensor([[start]]), torch.tensor([[end]]), fps)


def widths(motion):
    return torch.from_numpy(lip_width((REST + motion[0]).numpy()) - lip_width(REST.numpy()))


@pytest.mark.parametrize("fps", [12, 25, 60])
def test_rounded_phones_are_narrower_and_nothing_else_moves(fps):
    still = open_mouth(fps, 0.0)
    shaped = shape(still, "u", fps=fps)
    times = (torch.arange(fps) + 0.5) / fps
    narrower = widths(shaped)
    assert narrower[(times > 0.4) & (times < 0.5)] == pytest.approx(-PURSED, abs=1e-5)
    assert narrower[(times < 0.29) | (times > 0.61)].abs().max() < 1e-6
    assert torch.equal(shaped[..., 1], still[..., 1]) and torch.equal(shaped[..., len(LIPS) :, :], still[..., 40:, :])
    assert torch.equal(shape(still, "s", fps=fps)[..., 1], still[..., 1])
    assert widths(shape(still, "o", fps=fps)).min() == pytest.approx(-PURSED * letter_features("o")[2], abs=1e-5)
    assert FEATURES[2] == "rounding"


def test_open_mouths_are_narrower_by_their_gap():
    motion = open_mouth(1, 0.1)
    assert widths(draw_in(motion)) == pytest.approx(-0.1 * DRAWN_IN, abs=1e-5)
    assert widths(draw_in(motion, share=0.2)) == pytest.approx(-0.02, abs=1e-5)
    assert torch.equal(draw_in(open_mouth(1, 0.0)), open_mouth(1, 0.0))


@pytest.mark.parametrize("letter", ["θ", "ð"])
def test_lips_part_for_the_tongue_between_the_teeth(letter):
    shaped = shape(open_mouth(25, 0.0), letter)
    gap = lip_gap((REST + shaped[0]).numpy()) - lip_gap(REST.numpy())
    assert gap[10:12] == pytest.approx(DENTAL_GAP, abs=2e-3) and abs(gap[:7]).max() < 1e-6
    across = inner_gap(shaped)[0, 11]
    assert across.argmax() == 4 and across[0] < 0.5 * across[4]
    wide = open_mouth(25, 0.1)
    assert torch.equal(shape(wide, letter)[..., 1], wide[..., 1])
    assert shape(open_mouth(25, 0.0), "s").abs().max() == 0


def test_long_low_vowels_open_the_mouth():
    middle = 0.45

    def widest(letter, length, gap=0.05):
        shaped = shape(open_mouth(25, gap), letter, middle - length / 2, middle + length / 2)
        return inner_gap(shaped)[0].max()

    assert widest("a", 0.2) == pytest.approx(VOWEL_GAP, abs=1e-3)
    assert 0.05 < widest("a", 0.06) < 0.6 * VOWEL_GAP < widest("æ", 0.2) < widest("a", 0.2)
    assert widest("a", 0.2, 0.2) == pytest.approx(0.2) and widest("i", 0.2) == widest("h", 0.2) == 0.05


def test_a_phone_past_the_end_changes_nothing():
    motion = open_mouth(10, 0.0)
    for letter in "uθa":
        assert torch.equal(shape(motion, letter, 0.6, 0.7), motion)
