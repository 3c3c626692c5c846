"""The model card of a pipeline: what is really in it and how to use it."""

import os
from pathlib import Path


CARD = """---
library_name: text2lip
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

Show real people saying only what they agreed to say, and mark the result as generated.
"""


def model_card(pipe, repo_id: str) -> str:
    """Markdown that says which components `pipe` has, which it lacks, and how it is loaded.

    Args:
        pipe ([`Text2LipPipeline`]): the pipeline.
        repo_id (`str`): Hub id, "user/name".
    """
    rows, missing = [], []
    for name, component in sorted(pipe.components.items()):
        if component is None:
            missing.append(name)
            continue
        count = sum(p.numel() for p in component.parameters()) if hasattr(component, "parameters") else 0
        rows.append(f"| `{name}` | `{type(component).__name__}` | {count:,} |")
    return CARD.format(
        name=repo_id.split("/")[-1],
        repo_id=repo_id,
        rows="\n".join(rows),
        motion=pipe.config.motion,
        renderer=pipe.config.renderer,
        missing=", ".join(missing) or "nothing",
    )


def replace_generic_card(folder: str | os.PathLike, pipe, repo_id: str) -> None:
    """Write our card to `folder` unless an own one is there: diffusers' tells users to call another class."""
    path = Path(folder) / "README.md"
    if not path.exists() or "library_name: diffusers" in path.read_text(encoding="utf-8"):
        path.write_text(model_card(pipe, repo_id), encoding="utf-8")
