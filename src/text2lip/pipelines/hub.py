"""Where a pipeline is loaded from, what is wrong when it can't be, and the card that it is published with."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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


CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"
LENDER = "text2lip-grid"  # the built-in pipeline whose parts others have too, without holding them twice
PIPELINE_CARD = """---
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


def pipeline_source(name: str, argument: str = "pretrained_model_name_or_path") -> str:
    """The folder of a built-in name; a folder or Hub id as it is.

    Args:
        name (`str`): such as "text2lip-grid"; a folder of that name in the working directory wins.
        argument (`str`): its name, for errors.

    Raises:
        ValueError: neither built in, nor a folder, nor of the form "user/name".
    """
    if os.path.isdir(name) or "/" in name.replace(os.sep, "/"):
        return name
    builtin = sorted(path.parent.name for path in CHECKPOINTS.glob("*/model_index.json"))
    if name not in builtin:
        raise ValueError(
            f"{argument}: {name!r} is no folder and not built in; choose {', '.join(builtin)}, a "
            "folder, or a Hub id such as 'user/name'."
        )
    return str(CHECKPOINTS / name)


def lent_parts(source: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Components that a built-in pipeline names but doesn't hold: those of text2lip-grid.

    Args:
        source (`str`): of [`pipeline_source`].
        given (`Mapping`): what `from_pretrained` is given beside it: components, which are not lent, and `dtype`.
    """
    folder = Path(source).resolve()
    if folder.parent != CHECKPOINTS.resolve() or folder.name == LENDER:
        return {}
    import torch

    import text2lip

    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    classes = {name: part[1] for name, part in index.items() if isinstance(part, list) and part[1]}
    dtype, lent = given.get("dtype", given.get("torch_dtype")), {}
    for name in sorted(name for name in classes if name not in given and not (folder / name).is_dir()):
        wanted = dtype.get(name, dtype.get("default")) if isinstance(dtype, dict) else dtype
        options = {"dtype": wanted or torch.float32, "use_safetensors": True}
        lent[name] = getattr(text2lip, classes[name]).from_pretrained(str(CHECKPOINTS / LENDER / name), **options)
    return lent


def loading_error(source: str, variant: str | None, error: Exception) -> Exception:
    """What to raise in the place of an error that diffusers raised; the error itself where it says enough.

    Args:
        source (`str`): of [`pipeline_source`].
        variant (`str`, *optional*): that was asked for.
        error (`OSError` or `IndexError`): diffusers looks for a variant behind the dot of each file's name.
    """
    if isinstance(error, OSError) and not os.path.isdir(source):
        return OSError(
            f"pretrained_model_name_or_path: {source!r} is no folder, and can't be had from the Hub or its cache "
            f"({next(iter(str(error).splitlines()), type(error).__name__)[:200]})."
        )
    dotless = [str(path) for path in Path(source).glob("*/*") if path.is_file() and "." not in path.name]
    if isinstance(error, IndexError) and variant is not None and dotless:
        return ValueError(
            f"variant: {variant!r} can't be looked for beside {dotless[0]!r}, whose name has no dot; rename that "
            "file, for example to LICENSE.txt, or leave variant out."
        )
    return error


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
    card = PIPELINE_CARD.format(
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
