"""A person cut out: frames with alpha."""

import os

import numpy as np
import pytest
from PIL import Image

from text2lip import cli
from text2lip.renderers.relief import Relief


@pytest.fixture(scope="module")
def cut(pipe, portrait):
    """Frames of the portrait, cut out, with a head that turns: float32 (5, 256, 256, 4)."""
    return pipe(
        "Hi.",
        portrait,
        voice=None,
        num_frames=5,
        motion_plan={"headYaw": [0, 3, 6, 6, 6]},
        transparent=True,
        output_type="np",
    ).frames[0]


def test_the_face_is_solid_and_the_background_gone(cut):
    assert cut.shape == (5, 256, 256, 4)
    assert (cut[:, 70:130, 100:150, 3] == 1).all() and cut[:, :20, :20, 3].max() == 0
    assert 0.3 < cut[..., 3].mean() < 0.9
    assert np.abs(cut[4] - cut[0])[..., 3].max() > 0.5  # the outline turns with the head


def test_before_its_own_background_it_is_the_picture(pipe, portrait, cut):
    face = pipe.see(portrait).face
    behind = Relief(portrait, face).cutout.behind / 255
    together = cut[0, ..., :3] * cut[0, ..., 3:] + behind * (1 - cut[0, ..., 3:])
    difference = np.abs(together - portrait / 255)
    difference[110:190] = 0  # the mouth has moved
    assert difference.mean() < 0.01


def test_the_pictures_own_alpha_is_kept(pipe, portrait):
    alpha = np.zeros((256, 256), np.uint8)
    alpha[10:250, 20:200], alpha[:10, :] = 255, 100
    picture = Image.fromarray(np.dstack([portrait, alpha]))
    result = pipe("Hi.", picture, voice=None, num_frames=2, life=0, transparent=True)
    assert result.frames[0][0].mode == "RGBA"
    np.testing.assert_array_equal(np.asarray(result.frames[0][0])[..., 3], alpha)
    assert pipe("Hi.", picture, voice=None, num_frames=1).frames[0][0].mode == "RGB"


def test_what_can_not_be_cut_out(pipe, portrait):
    with pytest.raises(ValueError, match="transparent: the image is a video"):
        pipe("Hi.", [portrait] * 3, voice=None, transparent=True)
    with pytest.raises(ValueError, match="transparent: 'yes'"):
        pipe("Hi.", portrait, voice=None, transparent="yes")
    faces = {
        "Ann": {"voice": "espeak", "face_index": 0},
        "Bob": {"voice": "espeak", "face_index": (300, 60, 480, 200)},
    }
    two = np.concatenate([portrait, portrait[:, ::-1]], 1)
    with pytest.raises(ValueError, match="transparent: only one person"):
        pipe("Ann: Hi.\nBob: Hi.", two, speakers=faces, transparent=True)


def test_the_command_tells_before_any_work(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "load_pipeline", lambda name: pytest.fail("the pipeline was loaded"))
    assert cli.main(["Hi.", "--transparent", "-o", "a.mp4"]) == 2
    assert "no place for transparency; choose .mov, .webm" in capsys.readouterr().err and not os.listdir(tmp_path)
