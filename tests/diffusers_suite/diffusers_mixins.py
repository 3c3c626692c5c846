"""The test mixins of diffusers, out of the checkout that `$DIFFUSERS_TESTS` names; nothing of them is copied here."""

import os
import sys
import warnings
from pathlib import Path

import pytest


checkout = os.environ.get("DIFFUSERS_TESTS")
if not checkout:
    pytest.skip(
        "DIFFUSERS_TESTS is not set: it names a checkout of diffusers, see CONTRIBUTING.md", allow_module_level=True
    )
if not (Path(checkout) / "tests/models/testing_utils").is_dir():
    raise ValueError(
        f"DIFFUSERS_TESTS: {checkout!r} holds no tests/models/testing_utils; name a checkout of diffusers."
    )
sys.path.insert(0, checkout)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # marks that only their conftest knows
    from tests import testing_utils

    testing_utils.require_accelerator = lambda test: test  # their tests of shards and devices pass on a CPU too
    from tests.models.testing_utils import (  # noqa: F401
        AttentionTesterMixin,
        BaseModelTesterConfig,
        CPUOffloadTesterMixin,
        GroupOffloadTesterMixin,
        LayerwiseCastingTesterMixin,
        ModelTesterMixin,
        TrainingTesterMixin,
    )
    from tests.pipelines.testing_utils import (  # noqa: F401
        BasePipelineTesterConfig,
        PipelineOffloadTesterMixin,
        PipelineTesterMixin,
    )
    from tests.pipelines.testing_utils import GroupOffloadTesterMixin as PipelineGroupOffloadTesterMixin  # noqa: F401
    from tests.pipelines.testing_utils import (
        LayerwiseCastingTesterMixin as PipelineLayerwiseCastingTesterMixin,  # noqa: F401
    )

torch_device = testing_utils.torch_device
needs_accelerator = pytest.mark.skipif(torch_device == "cpu", reason="moves weights between a CPU and an accelerator")
