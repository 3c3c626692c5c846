"""The model card of a pipeline: what is really in it and how to use it."""

from text2lip.cards import (
    CONSENT,
    LIBRARY,
    UNTOLD,
    WEIGHTLESS,
    metadata_lines,
    parameter_count,
    signed,
    stated_licence,
    training_section,
)
from text2lip.licences import NOT_STATED, hub_metadata


CARD = """---
library_name: {library}
{licence_metadata}
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

| component | class | parameters | licence of the weights |
|---|---|---|---|
{rows}

Lip motion: {motion}. Renderer: {renderer}. Not part of this pipeline: {missing}.

## Training

{training}

{consent}
"""


def pipeline_card(pipe, repo_id: str) -> str:
    """Markdown that says which components `pipe` has, which it lacks, how it is loaded and how they were made.

    Args:
        pipe ([`Text2LipPipeline`]): the pipeline.
        repo_id (`str`): Hub id, "user/name".
    """
    rows, missing, told, licences = [], [], {}, []
    for name, component in sorted(pipe.components.items()):
        if component is None:
            missing.append(name)
            continue
        count, licence = parameter_count(component), stated_licence(component)
        shown = licence or (NOT_STATED if count else "–")
        rows.append(f"| `{name}` | `{type(component).__name__}` | {count:,} | {shown} |")
        told.setdefault(training_section(component), []).append(f"`{name}`")
        licences += [licence] if count else []
    order = sorted(told, key=lambda text: text in (UNTOLD, WEIGHTLESS))
    card = CARD.format(
        library=LIBRARY,
        licence_metadata=metadata_lines(hub_metadata(licences)),
        name=repo_id.split("/")[-1],
        repo_id=repo_id,
        rows="\n".join(rows),
        motion=pipe.config.motion,
        renderer=pipe.config.renderer,
        missing=", ".join(missing) or "nothing",
        training="\n\n".join(f"### {', '.join(told[text])}\n\n{text}" for text in order),
        consent=CONSENT,
    )
    return signed(card)
