"""Lazy package exports (PEP 562), so that `import text2lip` stays fast and loads no torch."""

import importlib
import sys


def attach(package: str, exports: dict[str, list[str]]):
    """Return `(__getattr__, __dir__, __all__)` for a package that exports names lazily.

    Args:
        package (`str`): `__name__` of the package.
        exports (`dict[str, list[str]]`): module relative to the package -> public names it holds.
    """
    where = {name: module for module, names in exports.items() for name in names}

    def __getattr__(name: str):
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{package}.{where[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    def __dir__():
        return sorted({*where, *vars(sys.modules[package])})

    return __getattr__, __dir__, sorted(where)
