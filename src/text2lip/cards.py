"""Model cards: what lies in a Hub repository, written from what is really in it."""

import functools
import hashlib
import inspect
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from text2lip.licences import NOT_STATED, hub_metadata, spdx_id


MARK = re.compile(r"<!-- written by text2lip: ([0-9a-f]{12}) -->")
GENERIC = "This is the model card of a 🧨 diffusers {} that has been pushed on the Hub. This model card has been "
GENERIC += "automatically generated."  # what diffusers fills into the Hub's template
LIBRARY = "text2lip"
FACTS = ("data", "licence", "command", "figures", "notes")
WEIGHTLESS = "No weights."
UNTOLD = "Nothing is recorded of how these weights were made."
CONSENT = "Show real people saying only what they agreed to say, and mark the result as generated."

CARD = """---
library_name: {library}
{licence_metadata}
tags: [text2lip, talking-head, lip-sync]
---

# {name}

{what}

```python
from text2lip import {kind}

{variable} = {kind}.from_pretrained("{repo_id}")
```

A part of a text2lip pipeline; {size}. Licence: {licence}.

## Training

{training}

## Configuration

```json
{config}
```

{consent}
"""


def record_training(component: Any, **facts: Any) -> None:
    """Note in the configuration of a component how its weights were made; it is saved, loaded and pushed with them.

    Args:
        component: a model or tokenizer of this package.
        facts: JSON values: `data` (what it learnt from), `licence` (of the weights, an SPDX identifier; None where it
            is not stated), `command` (that made them), `figures` (`dict` of name to number, on held-out data),
            `notes`. They replace what was noted before.

    Raises:
        ValueError: another name, or a licence that is no SPDX identifier.
    """
    unknown = set(facts) - set(FACTS)
    if unknown:
        raise ValueError(f"facts: {sorted(unknown)} are unknown; choose among {', '.join(FACTS)}.")
    facts = {name: value for name, value in facts.items() if value is not None}
    if "licence" in facts:
        facts["licence"] = spdx_id(facts["licence"])
    component.register_to_config(_training=facts)


def recorded_facts(component: Any) -> Mapping[str, Any]:
    """What [`record_training`] noted of a component; empty where nothing is."""
    config = getattr(component, "config", None)
    return (config.get("_training") if isinstance(config, Mapping) else None) or {}


def stated_licence(component: Any) -> str | None:
    """The licence of a component's weights, None where nobody stated it."""
    return recorded_facts(component).get("licence")


def training_section(component: Any) -> str:
    """Markdown that tells what [`record_training`] noted."""
    facts = recorded_facts(component)
    if not facts:
        return UNTOLD if parameter_count(component) else WEIGHTLESS
    parts = [f"Data: {facts['data']}"] if "data" in facts else []
    if "command" in facts:
        parts.append(f"```bash\n{facts['command']}\n```")
    if facts.get("figures"):
        rows = [f"| {name} | {_shown(value)} |" for name, value in facts["figures"].items()]
        parts.append("\n".join(["| held-out figure | value |", "|---|---|", *rows]))
    if "notes" in facts:
        parts.append(str(facts["notes"]))
    return "\n\n".join(parts)


def component_card(component: Any, repo_id: str) -> str:
    """Markdown that says what a component is, how it is loaded from `repo_id`, and how its weights were made."""
    count = parameter_count(component)
    config = {k: v for k, v in sorted(dict(component.config).items()) if not k.startswith("_")}
    licence = stated_licence(component)
    card = CARD.format(
        library=LIBRARY,
        licence_metadata=metadata_lines(hub_metadata([licence])),
        licence=licence or NOT_STATED,
        name=repo_id.split("/")[-1],
        repo_id=repo_id,
        kind=type(component).__name__,
        what=summary(component),
        variable="model" if count else "tokenizer",
        size=f"{count:,} parameters" if count else "no weights",
        training=training_section(component),
        config=json.dumps(config, indent=2, default=str),
        consent=CONSENT,
    )
    return signed(card)


def metadata_lines(values: Mapping[str, str]) -> str:
    """Lines of a card's YAML; values are plain words."""
    return "\n".join(f"{name}: {value}" for name, value in values.items())


def summary(component: Any) -> str:
    """First paragraph of the docstring of a component's class, on one line."""
    return " ".join(inspect.getdoc(type(component)).split("\n\n")[0].split())


def parameter_count(component: Any) -> int:
    """Number of weights, 0 for what is no network."""
    return sum(p.numel() for p in component.parameters()) if hasattr(component, "parameters") else 0


def signed(card: str) -> str:
    """`card` with a mark by which [`write_card`] knows it again, as long as nobody has changed it."""
    return f"{card.rstrip()}\n\n<!-- written by text2lip: {_digest(card)} -->\n"


def by_hand(text: str) -> bool:
    """Whether somebody wrote or changed this card: it is not a card of ours as we left it, nor one that diffusers
    filled in."""
    import yaml
    from huggingface_hub import ModelCard, ModelCardData

    try:
        mark = MARK.search(text)
        if mark and _digest(MARK.sub("", text)) == mark[1]:
            return False
        if "automatically generated" not in text:
            return True
        body = ModelCard(text, ignore_metadata_errors=True).text.strip()
        kinds = (GENERIC.format(kind) for kind in ("pipeline", "model"))
        return all(body != ModelCard.from_template(ModelCardData(), model_description=k).text.strip() for k in kinds)
    except (yaml.YAMLError, ValueError):  # metadata that no program wrote
        return True


def write_card(folder: str | os.PathLike, card: str) -> None:
    """Write `card` as the README.md of `folder`, unless somebody wrote or changed one by hand there."""
    path = Path(folder) / "README.md"
    if not path.exists() or not by_hand(path.read_text(encoding="utf-8", errors="replace")):
        path.write_text(card, encoding="utf-8")


def _digest(card: str) -> str:
    """Of metadata and text; the same after the Hub's library has read and written them."""
    from huggingface_hub import ModelCard

    parsed = ModelCard(card, ignore_metadata_errors=True)
    content = json.dumps(parsed.data.to_dict(), sort_keys=True, default=str) + " ".join(parsed.text.split())
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


class ModelCardMixin:
    """Gives what goes to the Hub a card of its own; to be named before `ModelMixin` or `DiffusionPipeline`."""

    _readme: bytes | None = None  # found in the folder before diffusers writes over it

    def model_card(self, repo_id: str) -> str:
        """Markdown for the README.md of the repository `repo_id`."""
        return component_card(self, repo_id)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if cls.save_pretrained is not ModelCardMixin.save_pretrained:
            return

        @functools.wraps(super(ModelCardMixin, cls).save_pretrained)  # a pipeline looks for arguments in the signature
        def save_pretrained(self, *args, **kwargs):
            return ModelCardMixin.save_pretrained(self, *args, **kwargs)

        cls.save_pretrained = save_pretrained

    def save_pretrained(self, save_directory: str | os.PathLike, *args, **kwargs):
        """As in diffusers; a README.md that somebody wrote in the folder stays and is uploaded with `push_to_hub`."""
        readme = Path(save_directory) / "README.md"
        handwritten = readme.is_file() and by_hand(readme.read_text(encoding="utf-8", errors="replace"))
        self._readme = readme.read_bytes() if handwritten else None
        try:
            return super().save_pretrained(save_directory, *args, **kwargs)
        finally:
            self._readme = None

    def _upload_folder(self, working_dir: str | os.PathLike, repo_id: str, *args, **kwargs):
        if self._readme is not None:
            (Path(working_dir) / "README.md").write_bytes(self._readme)
        write_card(working_dir, self.model_card(repo_id))
        return super()._upload_folder(working_dir, repo_id, *args, **kwargs)
