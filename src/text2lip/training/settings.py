"""Settings of a training script: defaults, overridden by a YAML file, overridden by the command line."""

import argparse
import inspect
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import MISSING, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin


WANTED = {int: "a whole number", float: "a number", bool: "true or false", str: "text", dict: "`{name: value}`"}
COMMENTED = re.compile(r"^    (\w+): .*?  # (.+)$", re.MULTILINE)


def parse_settings(cls: type, description: str, arguments: list[str] | None = None) -> Any:
    """Read the settings of a run.

    Args:
        cls (`type`): a dataclass whose fields all have defaults; the comment behind each, in it or in a class that it
            is made from, is its help.
        description (`str`): of the script, for `--help`.
        arguments (`list[str]`, *optional*): in place of the command line's: `--config FILE`, and `--<field> VALUE`
            with values as YAML writes them.

    Returns:
        an object of `cls`. An unknown setting, a value of another type, or a file that can't be read, ends the
        program with a message, as argparse does.
    """
    import yaml

    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", metavar="FILE", help="YAML file of settings; values are written as in it")
    sources = [inspect.getsource(part) for part in cls.__mro__[-2::-1]]  # from the first of its bases to itself
    told = {name: comment for source in sources for name, comment in COMMENTED.findall(source)}
    for item in fields(cls):
        default = item.default if item.default_factory is MISSING else item.default_factory()
        text = f"{told.get(item.name, '')} (default: {default})".strip().replace("%", "%%")
        parser.add_argument(f"--{item.name}", metavar="VALUE", help=text)
    flags = {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}
    path = flags.pop("config", None)
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {} if path else {}
        values |= {name: yaml.safe_load(value) for name, value in flags.items()}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError) as error:
        parser.error(f"--config {path}: {' '.join(str(error).split())}; give a YAML file of `setting: value`.")
    known = {item.name: item for item in fields(cls)}
    if unknown := set(values) - set(known):
        parser.error(f"unknown settings in {path}: {', '.join(sorted(unknown))}")
    for name, value in values.items():
        try:
            values[name] = converted(known[name].type, value, flags.get(name))
        except ValueError as error:
            parser.error(f"--{name} {value!r}: {error}.")
    return cls(**values)


def converted(kind: Any, value: Any, text: str | None = None) -> Any:
    """What YAML read as `value`, in the type of a setting.

    Args:
        kind: type of the setting: int, float, bool, str, dict, or one of them or None.
        value: what YAML made of it.
        text (`str`, *optional*): as it was written, which a setting of text keeps: 007.

    Raises:
        ValueError: it is of another type; the message says what is wanted.
    """
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    kind = get_origin(kinds[0]) or kinds[0]
    if value is None and NoneType in kinds:
        return None
    if kind is str and isinstance(value, (bool, int, float)):
        return text or ("no" if value is False else str(value))  # YAML reads no as false
    if kind in (int, float) and not isinstance(value, bool):
        with suppress(ValueError, TypeError, OverflowError):  # YAML reads 1e-3 as a string
            number = value if isinstance(value, int) else float(value)
            if kind(number) == number or kind is float:
                return kind(number)
    elif isinstance(value, kind):
        return value
    raise ValueError(f"wants {WANTED[kind]}")


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """End the program with one line where the caller is to blame: a `ValueError` or a file that can't be had.

    It is meant for what is read and built before the work: what goes wrong hours later wants its traceback.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        raise SystemExit(f"{Path(sys.argv[0]).stem}: {error}") from None
