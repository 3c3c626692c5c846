"""The model card of a pipeline: what is really in it and how to use it."""

import os

from text2lip.cards import CONSENT, MARK, UNTOLD, WEIGHTLESS, parameter_count, training_section, write_card


CARD = """---
library_name: text2lip
license: apache-2.0
pipeline_tag: image-to-video
tags: [text2lip, talking-head, lip-sync, text-to-video]
---

# {name}

A text2lip pipeline: a sentence and a portrait in, a video of that face saying it out.

```python
from text2lip import Text2LipPipeline

pipe = Text2LipPipeline.from_pretrained("{repo_id}")
pipe("Good morning.", image="portrait.jpg").save("hello.mp4")
```

| component | class | parameters |
|---|---|---|
{rows}

Lip motion: {motion}. Renderer: {renderer}. Not part of this pipeline: {missing}.

## Training

{training}

{consent}

{mark}
"""


def model_card(pipe, repo_id: str) -> str:
    """Markdown that says which components `pipe` has, which it lacks, how it is loaded and how they were made.

    Args:
        pipe ([`Text2LipPipeline`]): the pipeline.
        repo_id (`str`): Hub id, "user/name".
    """
    rows, missing, told = [], [], {}
    for name, component in sorted(pipe.components.items()):
        if component is None:
            missing.append(name)
            continue
        rows.append(f"| `{name}` | `{type(component).__name__}` | {parameter_count(component):,} |")
        told.setdefault(training_section(component), []).append(f"`{name}`")
    order = sorted(told, key=lambda text: text in (UNTOLD, WEIGHTLESS))
    return CARD.format(
        name=repo_id.split("/")[-1],
        repo_id=repo_id,
        rows="\n".join(rows),
        motion=pipe.config.motion,
        renderer=pipe.config.renderer,
        missing=", ".join(missing) or "nothing",
        training="\n\n".join(f"### {', '.join(told[text])}\n\n{text}" for text in order),
        consent=CONSENT,
        mark=MARK,
    )


def replace_generic_card(folder: str | os.PathLike, pipe, repo_id: str) -> None:
    """Write our card to `folder` unless one written by hand is there: diffusers' tells users to call another class."""
    write_card(folder, model_card(pipe, repo_id))
