"""How `src` is built: file names, constants, imports, rooms, signatures. `check_repo.py` runs these checks too.

python utils/check_structure.py

Each check takes the folder of a package, so that the tests can show each of them a package that fails it.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path


PACKAGE = Path(__file__).parents[1] / "src/text2lip"
MAX_PARAMETERS = 8

FLOORS = (
    ("cli",),
    ("demo",),
    ("wording",),
    ("pipelines",),
    ("exports",),
    ("scenes",),
    ("renderers",),
    ("motion",),
    ("models",),
    ("faces",),
    ("speech",),
    ("media",),
    ("text",),
)
"""Rooms from the top down: a room may import those of the floors below, and none of its own floor."""

CELLAR = ("arguments", "files", "memory", "ahead", "devices", "registration", "cards", "licences", "_lazy")
"""What every room may import, these too; they import no room."""

ANNEXES = {"training": FLOORS[3:] + (("data", "metrics"),), "data": FLOORS[9:], "metrics": FLOORS[5:]}
"""What stands beside: room -> the floors that it may import. No room of the house imports these."""

WIDE = {"Text2LipPipeline.__init__": "one argument a component, as diffusers reads them"}
"""Functions that may have more than `MAX_PARAMETERS`, beside those under `register_to_config`, with why."""


def modules_of(package: Path) -> dict[str, ast.Module]:
    """Dotted name, as `text2lip.faces.crop` or `text2lip.faces` -> the syntax tree of every module."""
    trees = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        trees[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = ast.parse(path.read_text("utf-8"))
    return trees


def check_file_names(package: Path = PACKAGE) -> list[str]:
    """No two files of one name, `__init__.py` excepted."""
    places = defaultdict(list)
    for path in sorted(package.rglob("*.py")):
        if path.name != "__init__.py":
            places[path.name].append(str(path.relative_to(package)))
    return [f"file name {name}: {', '.join(paths)}" for name, paths in places.items() if len(paths) > 1]


def check_names(package: Path = PACKAGE) -> list[str]:
    """No public constant, function or class of one name defined at the top level of two modules."""
    places = defaultdict(list)
    for module, tree in modules_of(package).items():
        for name in {name for node in tree.body for name in _defined(node)}:
            places[name].append(module)
    return [f"name {name}: {', '.join(sorted(found))}" for name, found in sorted(places.items()) if len(found) > 1]


def _defined(node: ast.stmt) -> Iterator[str]:
    """Public functions, classes and UPPER_CASE constants that a statement of a module defines."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        names = [node.name]
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        named = [leaf.id for target in targets for leaf in ast.walk(target) if isinstance(leaf, ast.Name)]
        names = [name for name in named if name.isupper()]
    else:
        names = []
    yield from (name for name in names if not name.startswith("_"))


def imports(package: Path = PACKAGE) -> dict[str, set[str]]:
    """Module -> the modules of the package that it imports, in functions too, not under `if TYPE_CHECKING`.

    A name that a package exports lazily (`_lazy.attach`) counts as an import of the module that defines it.
    """
    trees = modules_of(package)
    exports = {name: found for name, tree in trees.items() if (found := _exports(name, tree))}

    def home(module: str, name: str) -> str | None:
        """The module that `from module import name` reaches."""
        if f"{module}.{name}" in trees:
            return f"{module}.{name}"
        if name in exports.get(module, {}):
            return home(exports[module][name], name)
        return module if module in trees else None

    graph = {}
    for module, tree in trees.items():
        reached = set()
        for node in _running(tree):
            if isinstance(node, ast.Import):
                reached |= {alias.name for alias in node.names if alias.name in trees}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                reached |= {home(node.module, alias.name) for alias in node.names}
        graph[module] = reached - {None, module}
    return graph


def _exports(package: str, tree: ast.Module) -> dict[str, str]:
    """Name -> module, of the table that an `__init__` gives to `attach`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "attach":
            table = ast.literal_eval(node.args[1])
            return {name: f"{package}.{module}" for module, names in table.items() for name in names}
    return {}


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Every node below, but for the bodies of `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        yield child
        yield from _running(child)


def check_circles(package: Path = PACKAGE) -> list[str]:
    """No module imports itself by way of others, inside functions included. One line a ring: its shortest circle."""
    graph = imports(package)
    found, seen = [], set()
    for start in graph:
        if start not in seen and (way := _way_back(graph, start)):
            found.append(f"import circle: {' > '.join(way)}")
            seen |= set(way)
    return found


def _way_back(graph: dict[str, set[str]], start: str) -> list[str]:
    """The shortest way from `start` to itself; empty if there is none."""
    ways, reached = [[start]], set()
    for way in ways:
        for module in sorted(graph[way[-1]]):
            if module == start:
                return [*way, start]
            if module not in reached:
                reached.add(module)
                ways.append([*way, module])
    return []


def check_rooms(package: Path = PACKAGE) -> list[str]:
    """Arrows point down `FLOORS` only."""
    allowed = {room: set(CELLAR) for room in CELLAR}
    for number, floor in enumerate(FLOORS):
        below = {room for lower in FLOORS[number + 1 :] for room in lower}
        allowed |= {room: {*below, *CELLAR} for room in floor}
    allowed |= {room: {*CELLAR, *(r for floor in floors for r in floor)} for room, floors in ANNEXES.items()}
    found = []
    for module, reached in imports(package).items():
        room = _room(module)
        if room and room not in allowed:
            found.append(f"room {room}: {module} is in no room of the house")
        elif room:
            wrong = sorted(other for other in reached if _room(other) not in {"", room, *allowed[room]})
            found += [f"arrow up: {module} imports {other}" for other in wrong]
    return found


def _room(module: str) -> str:
    """`faces` of `text2lip.faces.crop`; empty for the package itself."""
    return (module.split(".") + [""])[1]


def check_parameters(package: Path = PACKAGE) -> list[str]:
    """No function with more than `MAX_PARAMETERS`, `self` and `cls` not counted; nothing in `WIDE` without need."""
    wide = [
        (module, name, count)
        for module, tree in modules_of(package).items()
        for name, count in _signatures(tree)
        if count > MAX_PARAMETERS
    ]
    found = [f"parameters: {module}.{name} has {count}" for module, name, count in wide if name not in WIDE]
    needless = sorted(WIDE.keys() - {name for _, name, _ in wide})
    return found + [f"parameters: {name} stands in WIDE without need" for name in needless]


def _signatures(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, int]]:
    """Dotted name and number of parameters of every function below, but for configurations."""
    for child in ast.iter_child_nodes(node):
        inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        name = f"{prefix}{child.name}" if inside else ""
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            args = child.args
            every = (*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg)
            names = [argument.arg for argument in every if argument]
            config = any(ast.unparse(mark).split(".")[-1] == "register_to_config" for mark in child.decorator_list)
            if not config:
                yield name, len(names) - (names[:1] in (["self"], ["cls"]))
        yield from _signatures(child, f"{name}." if inside else prefix)


CHECKS = (check_file_names, check_names, check_circles, check_rooms, check_parameters)


def faults(package: Path = PACKAGE) -> list[str]:
    """What every check found."""
    return [fault for check in CHECKS for fault in check(package)]


if __name__ == "__main__":
    problems = faults()
    print("\n".join(problems) or "the house is in order")
    sys.exit(bool(problems))
