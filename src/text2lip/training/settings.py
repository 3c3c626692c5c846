"""Settings of a training script: defaults, overridden by a YAML file, overridden by the command line."""

import argparse
import inspect
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any


COMMENTED = re.compile(r"^    (\w+): .*?  # (.+)$", re.MULTILINE)


def parse_settings(cls: type, description: str, arguments: list[str] | None = None) -> Any:
    """Read the settings of a run.

    Args:
        cls (`type`): a dataclass whose fields all have defaults; the comment behind each is its help.
        description (`str`): of the script, for `--help`.
        arguments (`list[str]`, *optional*): in place of the command line's: `--config FILE`, and `--<field> VALUE`
            with values as YAML writes them.

    Returns:
        an object of `cls`. An unknown setting, or a file that can't be read, ends the program with a message, as
        argparse does.
    """
    import yaml

    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", metavar="FILE", help="YAML file of settings; values are written as in it")
    told = dict(COMMENTED.findall(inspect.getsource(cls)))
    for item in fields(cls):
        default = item.default if item.default_factory is MISSING else item.default_factory()
        text = f"{told.get(item.name, '')} (default: {default})".strip().replace("%", "%%")
        parser.add_argument(f"--{item.name}", metavar="VALUE", help=text)
    given = {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}
    path = given.pop("config", None)
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {} if path else {}
        values |= {name: yaml.safe_load(value) for name, value in given.items()}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError) as error:
        parser.error(f"--config {path}: {' '.join(str(error).split())}; give a YAML file of `setting: value`.")
    known = {item.name: item for item in fields(cls)}
    if unknown := set(values) - set(known):
        parser.error(f"unknown settings in {path}: {', '.join(sorted(unknown))}")
    for name, value in values.items():
        if known[name].type is float:
            values[name] = float(value)  # YAML reads 1e-3 as a string
        elif known[name].type is str and value is False:
            values[name] = "no"  # and no as false
    return cls(**values)


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """End the program with one line where the caller is to blame: a `ValueError` or a file that can't be had."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise SystemExit(f"{Path(sys.argv[0]).stem}: {error}") from None
