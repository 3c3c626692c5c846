import pytest
import torch

from text2lip.motion.articulation import ArticulatoryModel, open_throat, token_times


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = ArticulatoryModel(num_phones=8, num_components=3)
    for parameter in model.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    model.targets.data[0] = 0
    return model.eval()


def test_shapes_and_tuple(model):
    ids, durations = torch.tensor([[0, 3, 5]]), torch.tensor([[0.2, 0.1, 0.3]])
    out = model(ids, durations, 15, 25.0)
    assert out.motion.shape == (1, 15, 57, 2)
    assert torch.equal(model(ids, durations, 15, 25.0, return_dict=False)[0], out.motion)


def test_a_clip_is_the_same_alone_and_in_a_padded_batch(model):
    ids = torch.tensor([[1, 2, 3, 0, 0], [4, 5, 6, 7, 1]])
    durations = torch.tensor([[0.1, 0.2, 0.1, 0, 0], [0.2, 0.2, 0.3, 0.1, 0.4]])
    batch = model(ids, durations, 30, attention_mask=durations > 0).motion
    alone = model(ids[:1, :3], durations[:1, :3], 10).motion
    torch.testing.assert_close(batch[:1, :10], alone, rtol=0, atol=1e-6)
    assert batch[0, 12:].abs().max() == 0


def test_long_text_equals_its_pieces_and_blocks(model):
    """Frames are made in blocks of 128 that see near tokens only; a far token must not matter."""
    ids = torch.randint(1, 8, (1, 200), generator=torch.Generator().manual_seed(1))
    durations = torch.full((1, 200), 0.08)
    whole = model(ids, durations, 400).motion
    head = model(ids[:, :60], durations[:, :60], 120).motion
    torch.testing.assert_close(whole[:, :90], head[:, :90], rtol=0, atol=1e-3)


def test_silence_is_rest_and_phones_pull(model):
    ids, durations = torch.tensor([[0, 4, 0]]), torch.tensor([[1.0, 0.3, 1.0]])
    motion = model(ids, durations, 57).motion[0].norm(dim=-1).mean(-1)
    assert motion[28] > 10 * motion[3]


def test_frame_rate_does_not_change_the_movement(model):
    ids, durations = torch.tensor([[1, 2, 3, 4]]), torch.full((1, 4), 0.2)
    slow = model(ids, durations, 20, 25.0).motion
    fast = model(ids, durations, 100, 125.0).motion  # frame 5 f + 2 of 125 fps is frame f of 25 fps
    torch.testing.assert_close(fast[:, 2::5], slow, rtol=0, atol=1e-5)


def test_save_and_load(model, tmp_path):
    model.save_pretrained(str(tmp_path))
    again, info = ArticulatoryModel.from_pretrained(str(tmp_path), output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    ids, durations = torch.tensor([[1, 2]]), torch.tensor([[0.2, 0.2]])
    assert torch.equal(again(ids, durations, 10).motion, model(ids, durations, 10).motion)


def test_h_takes_the_shape_of_its_vowel():
    from text2lip.text.visemes import PHONE_TO_ID

    h, u, a, t = (PHONE_TO_ID[letter] for letter in "huat")
    ids = torch.tensor([[0, h, u, t, h, a, 0]])
    assert open_throat(ids).tolist() == [[0, u, u, t, a, a, 0]]


def test_token_times():
    start, end = token_times(torch.tensor([[0.5, 0.25]]))
    assert start.tolist() == [[0.0, 0.5]] and end.tolist() == [[0.5, 0.75]]
