"""Outputs of networks go through hooks that rebuild them from dictionaries: every one of them, found by itself."""

from dataclasses import fields

import pytest
import torch
from accelerate.utils import send_to_device
from diffusers.utils import BaseOutput
from package import classes


@pytest.mark.parametrize("output", classes(BaseOutput), ids=lambda output: output.__name__)
def test_rebuilt_from_a_dictionary(output):
    values = {field.name: torch.full((2,), float(i)) for i, field in enumerate(fields(output))}
    values = {name: {"place": value} if name == "reference_states" else value for name, value in values.items()}
    first = dict(list(values.items())[:1])
    for given in (values, first):
        made = output(**given)
        assert tuple(made.keys()) == tuple(given)
        assert len([x for x in made.to_tuple() if x is not None]) == len(given)
        again = send_to_device(made, "cpu")
        assert type(again) is output and tuple(again.keys()) == tuple(given)
        assert all(getattr(again, name) is not None and made[name] is not None for name in given)
    assert all(getattr(output(), name) is None for name in values)
