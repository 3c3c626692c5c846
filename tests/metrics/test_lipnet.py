import numpy as np
import pytest
import torch

from text2lip import metrics
from text2lip.faces.topology import canonical_mesh
from text2lip.metrics.lipnet import ALPHABET, INPUTS, decode_letters


def text(letters: str) -> list[int]:
    """A letter a frame, "-" for none."""
    return [0 if letter == "-" else ALPHABET.index(letter.upper()) + 1 for letter in letters]


def test_letters_are_read_as_ctc_says():
    assert decode_letters(text("--bb-i--nnn-- -  bl-uu--e-")) == "bin blue"
    assert decode_letters(text("s-eett--t")) == "sett"  # a blank keeps two of one letter apart
    assert decode_letters([0] * 9) == ""


@pytest.mark.parametrize(("features", "size"), INPUTS.items())
def test_it_has_the_published_layout(features, size):
    torch.manual_seed(0)
    model = metrics.LipNet(features).eval()
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    assert shapes["conv1.weight"] == (32, 3, 3, 5, 5) and shapes["conv3.weight"] == (96, 64, 3, 3, 3)
    assert shapes["gru1.weight_ih_l0_reverse"] == (768, features) and shapes["gru2.weight_hh_l0"] == (768, 256)
    assert shapes["FC.bias"] == (28,) and model.input_size == size
    read = model(torch.rand(1, 3, 5, *size))
    assert read.shape == (1, 5, 28)
    torch.testing.assert_close(read.exp().sum(-1), torch.ones(1, 5))


def test_it_sees_the_mouth_upright_in_bgr(monkeypatch):
    """A red dot where the lips meet is in the middle of what is seen, however the face is turned."""
    face = canonical_mesh()[0][:, :2] * (1, -1)
    face = (face - face.min(0)) / np.ptp(face, 0).max()
    seen = []

    class Model(metrics.LipNet):
        def forward(self, pictures):
            seen.append(pictures)
            return torch.nn.functional.one_hot(torch.tensor([text("bin")]), 28).float()

    turn = np.radians(20)
    matrix = 200 * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    points = face @ matrix + (40, 120)
    x, y = points[[13, 14]].mean(0).round().astype(int)
    frame = np.zeros((360, 360, 3), np.uint8)
    frame[y - 3 : y + 4, x - 3 : x + 4, 0] = 255
    assert metrics.lipnet_reading(np.stack([frame] * 3), np.stack([points] * 3), Model()) == "bin"
    assert seen[0].shape == (1, 3, 3, 64, 128)
    blue, green, red = seen[0][0, :, 1]
    row, column = divmod(int(red.argmax()), 128)
    assert red.max() > 0.9 and not blue.any() and not green.any()
    assert abs(row - 32) < 6 and abs(column - 64) < 3


@pytest.mark.parametrize(
    "judge", [lambda *clip: metrics.lipnet_reading(*clip, metrics.LipNet()), metrics.syncnet_faces]
)
def test_landmarks_that_do_not_fit_are_named(judge):
    frames = np.zeros((3, 8, 8, 3), np.uint8)
    for shape in ((2, 478, 2), (3, 68, 2), (3, 478)):
        with pytest.raises(ValueError, match=r"points: has shape .*; wants \(3, 468 or more, 2 or more\)"):
            judge(frames, np.zeros(shape))
    with pytest.raises(ValueError, match="points: isn't finite"):
        judge(frames, np.full((3, 478, 2), np.nan))
