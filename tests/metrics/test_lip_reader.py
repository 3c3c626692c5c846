import numpy as np
import pytest
import torch

from text2lip.metrics import LipReader, builtin_reader


SLOTS = [["bin", "lay"], ["blue", "red", "white"]]


@pytest.fixture(scope="module", params=["landmarks", "crops"])
def reader(request):
    torch.manual_seed(0)
    return LipReader(slots=SLOTS, sees=request.param, channels=4, width=16, dilations=(1, 2)).eval()


def inputs_of(reader, frames, seed=0):
    shape = (48, 80) if reader.config.sees == "crops" else (57, 2)
    return torch.rand(1, frames, *shape, generator=torch.Generator().manual_seed(seed)) * 100


def test_padding_changes_nothing(reader):
    clip = inputs_of(reader, 20)
    alone, attention, states = reader(clip, return_dict=False)
    padded = torch.cat([clip, inputs_of(reader, 9, 1)], 1)
    both = reader(torch.cat([padded, inputs_of(reader, 29, 2)]), torch.arange(29) < torch.tensor([[20], [29]]))
    torch.testing.assert_close(alone[0], both.logits[0], atol=1e-4, rtol=1e-3)
    assert both.attention[0, 20:].abs().max() == 0
    torch.testing.assert_close(both.attention.sum(1), torch.ones(2, 2))
    assert [part.shape for part in reader.by_place(both.logits)] == [(2, 2), (2, 3)]
    assert states.shape == (1, 20, 16) and attention.shape == (1, 20, 2)


def test_brightness_contrast_and_the_shape_at_rest_are_not_read(reader):
    clip = inputs_of(reader, 20)
    other = 0.5 * clip + 60 if reader.config.sees == "crops" else clip + torch.rand(57, 2)
    torch.testing.assert_close(reader(clip).logits, reader(other).logits, atol=2e-2, rtol=2e-2)


def test_a_sentence_of_the_grammar_is_read(reader):
    mouth = np.random.default_rng(0)
    if reader.config.sees == "crops":
        clips = [mouth.integers(0, 256, (frames, 96, 96, 3), np.uint8) for frames in (12, 15)]
    else:
        clips = [mouth.normal(size=(frames, 57, 2)) for frames in (12, 15)]
    read = reader.read(clips)
    assert len(read) == 2 and all(reader.knows(text) for text in read)
    assert not reader.knows("bin") and not reader.knows("blue bin") and not reader.knows("bin blue bin")
    for wrong in (clips[0][:, :40], clips[0][0], clips[0][:0]):
        with pytest.raises(ValueError, match="clips: got"):
            reader.read([wrong])


def test_saved_and_loaded_it_reads_the_same(reader, tmp_path):
    reader.save_pretrained(tmp_path)
    again = LipReader.from_pretrained(tmp_path).eval()
    clip = inputs_of(reader, 20)
    assert torch.equal(reader(clip).logits, again(clip).logits)


def test_wrong_sight():
    with pytest.raises(ValueError, match="sees: 'ears'; choose"):
        LipReader(sees="ears")
    with pytest.raises(ValueError, match="sees: 'ears'; choose"):
        builtin_reader("ears")


@pytest.mark.parametrize("sees", ["landmarks", "crops"])
def test_the_built_in_readers_know_grid(sees):
    reader = builtin_reader(sees)
    assert reader.config.sees == sees and reader.knows("bin blue at f two now") and not reader.knows("hello")
    still = np.zeros((75, 96, 96, 3), np.uint8) if sees == "crops" else np.zeros((75, 57, 2))
    assert reader.knows(reader.read([still])[0])
