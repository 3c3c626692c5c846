"""How trained networks go out: with the facts of their training, in a whole pipeline."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from text2lip import Text2LipPipeline
from text2lip.cards import record_training, recorded_facts


LOCAL = {"prepared", "pairs", "videos", "output", "resume", "stop_after", "tracker", "push_to_hub", "cpu", "threads"}
LOCAL |= {"workers", "data", "licence"}  # settings of a place, and those that the card tells apart


def note_training(
    component: Any,
    settings: Mapping[str, Any],
    figures: Mapping[str, Any] | None,
    step: int,
    script: str,
    meaning: str = "",
) -> None:
    """Note in the configuration of a component how it was made; its model card tells it.

    Args:
        component (`ModelMixin`): that the run made.
        settings (`Mapping`): the run's; `data` names what it learnt from, `licence` (None: not stated) that of the
            weights. Paths of this machine are left out.
        figures (`Mapping`, *optional*): of the run's validation.
        step (`int`): steps of the optimiser.
        script (`str`): of `examples`, that takes the settings.
        meaning (`str`): what the figures are.
    """
    shown = {name: _portable(value) for name, value in settings.items() if name not in LOCAL and value is not None}
    figures = {name: round(value, 4) for name, value in (figures or {}).items() if value is not None}
    record_training(
        component,
        data=settings["data"],
        licence=settings.get("licence"),
        command=f"accelerate launch examples/{script} --config settings.yaml",
        figures={"step": step, **figures},
        notes=f"{meaning}\n\n`settings.yaml`:\n\n```yaml\n{json.dumps(shown, indent=2)}\n```".strip(),
    )


def began_with(start: str | None, component: Any) -> str:
    """A sentence on the weights that `component` has before it learns, and on what was recorded of them; "" for none.

    Args:
        start (`str`, *optional*): folder, built-in name or Hub id that they were loaded from.
        component: as it was loaded.
    """
    if start is None:
        return ""
    name = "/".join(Path(start).parts[-2:]) if Path(start).is_dir() else start
    facts = recorded_facts(component)
    known = [f"{key}: {str(facts[key]).rstrip('.')}" for key in ("data", "licence") if key in facts]
    return f" It began with the weights of {name}" + (f" ({'; '.join(known)})." if known else ".")


def _portable(value: Any) -> Any:
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value


def as_pipeline(base: str, **changed: Any) -> Any:
    """A pipeline of the components and settings of `base`, but for those in `changed`.

    Args:
        base (`str`): built-in name, folder or Hub id; read once in a process.
        changed: components, or settings such as `motion="networks"`, of [`Text2LipPipeline`].
    """
    pipe = _loaded(base)
    settings = {name: pipe.config[name] for name in ("motion", "renderer", "max_size")}
    return type(pipe)(**{**pipe.components, **settings, **changed})


_loaded = cache(Text2LipPipeline.from_pretrained)
