"""Settings of a training script: defaults, overridden by a YAML file, overridden by the command line."""

import argparse
from dataclasses import fields
from pathlib import Path
from typing import Any


def parse_settings(cls: type, description: str, arguments: list[str] | None = None) -> Any:
    """Read the settings of a run.

    Args:
        cls (`type`): a dataclass whose fields all have defaults.
        description (`str`): of the script, for `--help`.
        arguments (`list[str]`, *optional*): in place of the command line's: `--config FILE`, and `--<field> VALUE`
            with values as YAML writes them.

    Returns:
        an object of `cls`. An unknown setting ends the program with a message, as argparse does.
    """
    import yaml

    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", help="YAML file")
    for item in fields(cls):
        parser.add_argument(f"--{item.name}", metavar="VALUE", help=f"YAML value; default {item.default}")
    given = {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}
    path = given.pop("config", None)
    values = yaml.safe_load(Path(path).read_text()) or {} if path else {}
    values |= {name: yaml.safe_load(value) for name, value in given.items()}
    known = {item.name: item for item in fields(cls)}
    if unknown := set(values) - set(known):
        parser.error(f"unknown settings in {path}: {', '.join(sorted(unknown))}")
    for name, value in values.items():
        if known[name].type is float:
            values[name] = float(value)  # YAML reads 1e-3 as a string
        elif known[name].type is str and value is False:
            values[name] = "no"  # and no as false
    return cls(**values)
