"""The files of the room import each other in one direction, also inside functions."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import sk_metalearn.knowledge


def test_no_circle_of_imports():
    folder = Path(sk_metalearn.knowledge.__file__).parent
    graph = {}
    for path in folder.glob("_*.py"):
        if path.stem == "__init__":
            continue
        graph[path.stem] = {
            node.module or alias.name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom) and node.level == 1
            for alias in node.names
        }
    order = list(TopologicalSorter(graph).static_order())
    assert order.index("_base") > order.index("_store") > order.index("_records")
