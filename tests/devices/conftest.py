"""A pipeline on a device that stands in for a GPU."""

import pytest
from stand_in import StandIn


@pytest.fixture
def gpu():
    """Inside of a test there is a device "cuda"."""
    with StandIn("cuda") as there:
        yield there


@pytest.fixture
def fresh():
    """Loads the built-in pipeline anew."""
    from text2lip import Text2LipPipeline

    def load(**kwargs):
        pipe = Text2LipPipeline.from_pretrained("text2lip-grid", **kwargs)
        pipe.set_progress_bar_config(disable=True)
        return pipe

    return load


@pytest.fixture(scope="module", autouse=True)
def plain_arithmetic():
    """The processor computes as what stands in for a GPU does: some would take bfloat16 for networks by themselves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: False, raising=False)
        yield
