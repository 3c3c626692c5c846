"""The loop of every run, with one weight to learn: which weights are kept, and what a resumed run warns of."""

import json
from dataclasses import replace

import pytest
import torch
from accelerate.state import AcceleratorState

from text2lip.training.ema import EMA
from text2lip.training.trainer import Trainer, TrainerConfig, build_accelerator


NAN, INF = float("nan"), float("inf")


class Run(Trainer):
    errors = iter(())

    def __init__(self, config: TrainerConfig):
        network = torch.nn.Linear(1, 1)
        accelerator = build_accelerator(config)
        optimizer = torch.optim.SGD(network.parameters())
        super().__init__(config, accelerator, *accelerator.prepare(network, optimizer), EMA(network, 0.9), {"seed": 0})

    def batches(self, first, last):
        return [torch.ones(1, 1)] * (last - first)

    def loss(self, batch, generator):
        return self.network(batch).square().mean(), {}

    def evaluate(self, network):
        error = next(self.errors, None)
        return {} if error is None else {"val/error": error}, error

    def write(self, network, folder, figures):
        (folder / "weights").write_text(str(figures))


@pytest.fixture
def config(tmp_path):
    AcceleratorState._reset_state(reset_partial_state=True)  # which runs of other tests have left
    return TrainerConfig(output=str(tmp_path), max_steps=2, mixed_precision="no", cpu=True)


def test_an_error_that_is_no_number_is_never_the_best(config, tmp_path):
    run, best = Run(config), []
    run.errors = iter((NAN, INF, 2.0, NAN, 1.0, INF, 3.0))
    for step in range(7):
        run.step = step
        run.validate()
        best.append(run.best)
    assert best == [None, None, 2, 2, 1, 1, 1]
    assert json.loads((tmp_path / "best/figures.json").read_text()) == {"step": 4, "error": 1.0}


def test_figures_are_written_where_there_are_any(config, tmp_path):
    Run(config).fit()
    assert [path.name for path in (tmp_path / "final").iterdir()] == ["weights"]


def test_a_resumed_run_warns_of_what_has_changed_alone(config, tmp_path, capsys):
    Run(config).fit()
    path = tmp_path / "checkpoint-2/run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"best": NAN}))
    Run(replace(config, max_steps=3, resume="latest"))
    told = capsys.readouterr().out
    assert "max_steps has changed from 2 to 3" in told and told.count("has changed") == 1
