"""How trained networks go out: with the facts of their training, as a whole pipeline."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from text2lip.cards import record_training
from text2lip.training.networks import PARTS, Text2LipNetworks


LOCAL = (
    "prepared",
    "output",
    "resume",
    "stop_after",
    "tracker",
    "push_to_hub",
    "cpu",
    "data",
    "licence",
)  # settings of a place

MEANT = "Figures are of the networks by themselves on `val`, before the pipeline seals lips and stills pauses."


def note_training(
    networks: Text2LipNetworks, settings: Mapping[str, Any], figures: Mapping[str, Any] | None, step: int
) -> None:
    """Note in the configuration of each network how it was made; their model cards tell it.

    Args:
        networks ([`Text2LipNetworks`]): of a run of `examples/train_pvar.py`.
        settings (`Mapping`): the run's; `data` names what it learnt from, `licence` (None: not stated) that of the
            weights. Paths of this machine are left out.
        figures (`Mapping`, *optional*): of [`~text2lip.training.validation.validate`].
        step (`int`): steps of the optimiser.
    """
    kept = {name: _portable(value) for name, value in settings.items() if name not in LOCAL and value is not None}
    figures = {name: round(value, 4) for name, value in (figures or {}).items() if value is not None}
    for name in PARTS:
        record_training(
            getattr(networks, name),
            data=settings["data"],
            licence=settings.get("licence"),
            command="accelerate launch examples/train_pvar.py --config settings.yaml",
            figures={"step": step, **figures},
            notes=f"{MEANT}\n\n`settings.yaml`:\n\n```yaml\n{json.dumps(kept, indent=2)}\n```",
        )


def _portable(value: Any) -> Any:
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value


@cache
def _base(name: str) -> Any:
    from text2lip import Text2LipPipeline

    return Text2LipPipeline.from_pretrained(name)


def as_pipeline(base: str, **changed: Any) -> Any:
    """A pipeline of the components and settings of `base`, but for those in `changed`.

    Args:
        base (`str`): built-in name, folder or Hub id; read once in a process.
        changed: components, or settings such as `motion="networks"`, of [`Text2LipPipeline`].
    """
    pipe = _base(base)
    settings = {name: pipe.config[name] for name in ("motion", "renderer", "max_size")}
    return type(pipe)(**{**pipe.components, **settings, **changed})


def push_networks(networks: Text2LipNetworks, repo_id: str, base: str = "text2lip-grid", **kwargs: Any) -> str:
    """Upload a pipeline with these networks to the Hub.

    Args:
        networks ([`Text2LipNetworks`]): on the CPU or not; with their tokenizer, if it is another than that of `base`.
        repo_id (`str`): "user/name"; made where it does not exist.
        base (`str`): the pipeline that the other components come from.
        kwargs: of `Text2LipPipeline.push_to_hub`, such as `private`, `token`.
    """
    return as_pipeline(base, motion="networks", **networks.components).push_to_hub(repo_id, **kwargs)
