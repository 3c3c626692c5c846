"""What there is in the package, found by itself, so that what is new is tested too."""

import importlib
import pkgutil
from functools import cache
from types import ModuleType

import text2lip


@cache
def modules() -> list[ModuleType]:
    """All modules of the package."""
    names = [module.name for module in pkgutil.walk_packages(text2lip.__path__, "text2lip.")]
    return [importlib.import_module(name) for name in names if ".hub." not in name and not name.endswith("__main__")]


def classes(base: type) -> list[type]:
    """All classes of the package that are a `base`."""
    found = {c for module in modules() for c in vars(module).values() if isinstance(c, type) and issubclass(c, base)}
    return sorted((c for c in found if c.__module__.startswith("text2lip.")), key=lambda c: c.__name__)
