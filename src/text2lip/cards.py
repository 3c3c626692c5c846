"""Model cards: what lies in a Hub repository, written from what is really in it."""

import inspect
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


MARK = "<!-- written by text2lip -->"
FACTS = ("data", "licence", "command", "figures", "notes")
WEIGHTLESS = "No weights."
UNTOLD = "Nothing is recorded of how these weights were made."
CONSENT = "Show real people saying only what they agreed to say, and mark the result as generated."

CARD = """---
library_name: text2lip
license: apache-2.0
tags: [text2lip, talking-head, lip-sync]
---

# {name}

{what}

```python
from text2lip import {kind}

{variable} = {kind}.from_pretrained("{repo_id}")
```

A part of a text2lip pipeline; {size}.

## Training

{training}

## Configuration

```json
{config}
```

{consent}

{mark}
"""


def record_training(component: Any, **facts: Any) -> None:
    """Note in the configuration of a component how its weights were made; it is saved, loaded and pushed with them.

    Args:
        component: a model or tokenizer of this package.
        facts: JSON values: `data` (what it learnt from), `licence` (of the weights), `command` (that made them),
            `figures` (`dict` of name to number, on held-out data), `notes`. They replace what was noted before.

    Raises:
        ValueError: another name.
    """
    unknown = set(facts) - set(FACTS)
    if unknown:
        raise ValueError(f"facts: {sorted(unknown)} are unknown; choose among {', '.join(FACTS)}.")
    component.register_to_config(_training=facts)


def training_section(component: Any) -> str:
    """Markdown that tells what [`record_training`] noted."""
    config = getattr(component, "config", None)
    facts = config.get("_training") if isinstance(config, Mapping) else None
    if not facts:
        return UNTOLD if parameter_count(component) else WEIGHTLESS
    parts = [f"{name.capitalize()}: {facts[name]}" for name in ("data", "licence") if name in facts]
    if "command" in facts:
        parts.append(f"```bash\n{facts['command']}\n```")
    if facts.get("figures"):
        rows = [f"| {name} | {_shown(value)} |" for name, value in facts["figures"].items()]
        parts.append("\n".join(["| held-out figure | value |", "|---|---|", *rows]))
    if "notes" in facts:
        parts.append(str(facts["notes"]))
    return "\n\n".join(parts)


def component_card(component: Any, repo_id: str) -> str:
    """Markdown that says what a component is, how it is loaded, and how its weights were made.

    Args:
        component: a model or tokenizer of this package.
        repo_id (`str`): Hub id, "user/name".
    """
    count = parameter_count(component)
    config = {k: v for k, v in sorted(dict(component.config).items()) if not k.startswith("_")}
    return CARD.format(
        name=repo_id.split("/")[-1],
        repo_id=repo_id,
        kind=type(component).__name__,
        what=summary(component),
        variable="model" if count else "tokenizer",
        size=f"{count:,} parameters" if count else "no weights",
        training=training_section(component),
        config=json.dumps(config, indent=2, default=str),
        consent=CONSENT,
        mark=MARK,
    )


def summary(component: Any) -> str:
    """First paragraph of the docstring of a component's class, on one line."""
    return " ".join(inspect.getdoc(type(component)).split("\n\n")[0].split())


def parameter_count(component: Any) -> int:
    """Number of weights, 0 for what is no network."""
    return sum(p.numel() for p in component.parameters()) if hasattr(component, "parameters") else 0


def write_card(folder: str | os.PathLike, card: str) -> None:
    """Write `card` as the README.md of `folder`, unless somebody wrote one by hand there."""
    path = Path(folder) / "README.md"
    old = path.read_text(encoding="utf-8") if path.exists() else MARK
    if MARK in old or "library_name: diffusers" in old:
        path.write_text(card, encoding="utf-8")


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


class ModelCardMixin:
    """Gives a component a card of its own when it goes to the Hub; to be named before `ModelMixin`."""

    def _upload_folder(self, working_dir: str | os.PathLike, repo_id: str, *args, **kwargs):
        write_card(working_dir, component_card(self, repo_id))
        return super()._upload_folder(working_dir, repo_id, *args, **kwargs)
