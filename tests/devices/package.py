"""What there is in the package, found by itself, so that what is new is tested too."""

import importlib
import pkgutil
from functools import cache
from importlib.util import find_spec
from types import ModuleType

import text2lip


@cache
def modules() -> list[ModuleType]:
    """All modules of the package, but for those of an extra that isn't installed."""
    left_out = (".hub.", "__main__") if find_spec("gradio") else (".hub.", "__main__", ".demo.")
    names = [module.name for module in pkgutil.walk_packages(text2lip.__path__, "text2lip.")]
    return [importlib.import_module(name) for name in names if not any(part in name for part in left_out)]


def classes(base: type) -> list[type]:
    """All classes of the package that are a `base`."""
    found = {c for module in modules() for c in vars(module).values() if isinstance(c, type) and issubclass(c, base)}
    return sorted((c for c in found if c.__module__.startswith("text2lip.")), key=lambda c: c.__name__)
