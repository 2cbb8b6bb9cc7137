"""Every block of Python code in the documentation runs, page by page.

A page's blocks run from top to bottom in one namespace, which begins with a small dataset and the
names that the pages take for granted (``X``, ``y``, ``pipeline``, ``param_grid``, a fitted
``search``). What a page needs beyond that stands in a hidden ``.. testsetup::``. Budgets are
shortened.
"""

import importlib.util
import re
import sys
import textwrap
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sk_metalearn import MetaSearchCV

ROOT = Path(__file__).parents[2]
MADE = {"_build", "auto_examples", "generated"}
PAGES = [
    ROOT / "README.md",
    *sorted(p for p in (ROOT / "docs").rglob("*.rst") if not MADE & set(p.parts)),
]
BLOCK = re.compile(
    r"^(?P<indent> *)\.\. (?:code-block:: python|testsetup::)\n"
    r"(?P<body>(?:(?P=indent) +.*\n|\s*\n)+)",
    re.MULTILINE,
)
FENCE = re.compile(r"^```python\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)
SHORTER = {
    r"time_budget=\d+": "time_budget=2",
    r"n_iter=\d{2,}": "n_iter=2",
    r"max_iter=\d+": "max_iter=20",
    r"postgresql://[^\"']+": "sqlite:///team.db",
}
IMPORTED = re.compile(r"^\s*(?:import|from) (\w+)", re.MULTILINE)


def blocks(path):
    """Blocks of Python code of a page, in their order."""
    text = path.read_text(encoding="utf-8")
    pattern = FENCE if path.suffix == ".md" else BLOCK
    for found in pattern.finditer(text):
        body = re.sub(r"\A(?:\s*:\w+:.*\n)+", "", found["body"])
        yield text[: found.start()].count("\n") + 1, textwrap.dedent(body)


def _shortened(code):
    for pattern, shorter in SHORTER.items():
        code = re.sub(pattern, shorter, code)
    return code


@pytest.fixture(scope="session")
def given():
    """A dataset, a pipeline with its grid, and a search that is fitted."""
    X, y = load_breast_cancer(return_X_y=True)
    chosen = np.random.default_rng(0).permutation(len(X))[:120]
    X, y = X[chosen][:, :6], y[chosen]
    pipeline = make_pipeline(StandardScaler(), SVC())
    param_grid = {"svc__C": [0.1, 1, 10, 100], "svc__gamma": [0.01, 0.1, "scale"]}
    search = MetaSearchCV(pipeline, param_grid, n_iter=3, random_state=0).fit(X, y)
    return {"X": X, "y": y, "pipeline": pipeline, "param_grid": param_grid, "search": search}


# Their searches have time budgets, clusters or many tables.
LONG = {"clusters", "deploy", "knowledge", "messy_table", "time_budget"}
WITH_CODE = [
    pytest.param(
        path,
        id=str(path.relative_to(ROOT)),
        marks=[pytest.mark.slow] if path.stem in LONG else [],
    )
    for path in PAGES
    if any(blocks(path))
]


@pytest.mark.parametrize("path", WITH_CODE)
def test_page(path, given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SK_METALEARN_HOME", str(tmp_path))
    namespace = {"__name__": "__main__", **given}
    pytest.importorskip("matplotlib").use("agg")
    left_out = set()
    for line, code in blocks(path):
        missing = [
            name
            for name in IMPORTED.findall(code)
            if name not in sys.stdlib_module_names and importlib.util.find_spec(name) is None
        ]
        if missing:
            left_out.update(missing)
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled = compile("\n" * line + _shortened(code), str(path), "exec")
            exec(compiled, namespace)
    if left_out:
        pytest.skip(f"all ran but the blocks that need {', '.join(sorted(left_out))}")


def test_every_page_is_read():
    # a page whose blocks the pattern misses would never be run
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        announced = text.count("code-block:: python") + text.count("testsetup::")
        if path.suffix == ".rst":
            assert len(list(blocks(path))) == announced, path
