"""The rooms import in one direction, and importing the package is light."""

import ast
import graphlib
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import sk_metalearn

ROOT = Path(sk_metalearn.__file__).parent
ROOMS = [
    "exceptions",
    "_compat",
    "tables",
    "metafeatures",
    "spaces",
    "knowledge",
    "metalearners",
    "strategies",
    "evaluation",
    "search",
    "inspection",
    "building",
    "cli",
]


def _files(room):
    folder = ROOT / room
    return sorted(folder.glob("*.py")) if folder.is_dir() else [ROOT / f"{room}.py"]


def _imported_rooms(path):
    """Rooms that a file imports, at its top or inside a function."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    package = parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            module = (*base, *(node.module.split(".") if node.module else ()))
            if module:
                yield module[0]
            else:
                yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sk_metalearn."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("sk_metalearn."):
                    yield alias.name.split(".")[1]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_before_it(room):
    allowed = {*ROOMS[: ROOMS.index(room) + 1], "_version"}
    wrong = {
        (file.name, other)
        for file in _files(room)
        for other in _imported_rooms(file)
        if other in ROOMS and other not in allowed
    }
    assert not wrong


def test_every_module_stands_in_a_known_room():
    found = {path.stem if path.is_file() else path.name for path in ROOT.iterdir()}
    found -= {"__init__", "__main__", "__pycache__", "_show_versions", "_version", "py"}
    assert found <= set(ROOMS)


def test_only_building_imports_openml():
    users = {
        path.relative_to(ROOT).parts[0]
        for path in ROOT.rglob("*.py")
        if '"openml"' in path.read_text(encoding="utf-8")
        and "import_optional" in path.read_text(encoding="utf-8")
    }
    assert users <= {"building"}


def test_import_is_light_and_touches_nothing(tmp_path):
    code = (
        "import sys, logging; before = list(logging.root.handlers)\n"
        "import sk_metalearn\n"
        "heavy = {'pandas', 'torch', 'matplotlib', 'sqlalchemy', 'openml', 'sklearn', 'scipy'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "assert logging.root.handlers == before\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    assert not list(tmp_path.iterdir())


def test_every_room_can_be_reached_after_one_import():
    rooms = [room for room in ROOMS if not room.startswith("_") and room != "cli"]
    code = f"import sk_metalearn\nfor room in {rooms!r}:\n    getattr(sk_metalearn, room)\n"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT.parent)


def test_public_names_can_be_imported():
    for name in sk_metalearn.__all__:
        assert getattr(sk_metalearn, name) is not None


def test_a_search_needs_nothing_but_the_base_install():
    code = (
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        if name in ('pandas', 'polars', 'matplotlib', 'torch', 'openml', 'pyarrow'):\n"
        "            raise ModuleNotFoundError(name=name)\n"
        "sys.meta_path.insert(0, Missing)\n"
        "from sklearn.datasets import load_wine\n"
        "from sk_metalearn import AutoClassifier, recommend\n"
        "X, y = load_wine(return_X_y=True)\n"
        "auto = AutoClassifier(n_iter=2, families=['lda', 'svm'], random_state=0).fit(X, y)\n"
        "print(auto.score(X, y) > 0.9 and len(recommend(X, y)) > 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "True", done.stderr


def test_the_quickstart_asks_for_no_frames():
    quickstart = Path(__file__).parents[1] / "examples" / "quickstart.py"
    text = quickstart.read_text(encoding="utf-8")
    assert "as_frame" not in text and "pandas" not in text


def _modules_imported(path):
    """Modules of the package that a file imports by their dotted names, anywhere in it."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            module = (*base, *(node.module.split(".") if node.module else ()))
            yield module
            yield from ((*module, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sk_metalearn."):
            module = tuple(node.module.split(".")[1:])
            yield module
            yield from ((*module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (
                tuple(alias.name.split(".")[1:])
                for alias in node.names
                if alias.name.startswith("sk_metalearn.")
            )


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_no_private_module_of_another(room):
    wrong = {
        (path.name, ".".join(module))
        for path in _files(room)
        for module in _modules_imported(path)
        if len(module) > 1 and module[0] != room and module[0] in ROOMS
        if (ROOT / module[0] / f"{module[1]}.py").exists() and module[1].startswith("_")
    }
    assert not wrong


@pytest.mark.parametrize("room", ROOMS)
def test_no_circle_of_imports_inside_a_room(room):
    files = {path.stem: path for path in _files(room) if path.stem != "__init__"}
    graph = {
        name: {
            module[1]
            for module in _modules_imported(path)
            if len(module) > 1 and module[0] == room and module[1] in files
        }
        for name, path in files.items()
    }
    graphlib.TopologicalSorter(graph).prepare()


def test_a_module_is_known_by_its_name():
    """No two rooms have a module of one name, but for the tests that a room offers."""
    rooms = {}
    for room in ROOMS:
        for path in _files(room):
            rooms.setdefault(path.stem, []).append(room)
    twice = {name for name, homes in rooms.items() if len(homes) > 1}
    assert twice <= {"__init__", "testing"}


@pytest.mark.parametrize("room", [room for room in ROOMS if (ROOT / room).is_dir()])
def test_what_a_room_gives_to_others_is_taken(room):
    tree = ast.parse((ROOT / room / "__init__.py").read_text(encoding="utf-8"))
    given = {
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
    }
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    public = set(importlib.import_module(f"sk_metalearn.{room}").__all__)
    taken = {
        module[1]
        for other in ROOMS
        if other != room
        for path in _files(other)
        for module in _modules_imported(path)
        if len(module) == 2 and module[0] == room
    }
    assert given - public - used <= taken


def test_files_of_tests_have_different_names():
    """Pytest imports them by their name alone."""
    names = [path.name for path in Path(__file__).parent.rglob("*.py")]
    twice = {name for name in names if names.count(name) > 1} - {"conftest.py"}
    assert not twice
