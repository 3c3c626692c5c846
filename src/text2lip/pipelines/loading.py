"""Where a pipeline is loaded from, and what is wrong in words when it can't be."""

import os
from pathlib import Path


CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"


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
