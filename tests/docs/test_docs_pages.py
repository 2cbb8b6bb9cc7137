"""The pages name what there is: public names, tables of results, files."""

import csv
import importlib
import pkgutil
import re
import sys
from pathlib import Path

import pytest

import sk_metalearn

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def number_pages():
    """The script that makes the tables of the pages of numbers."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        yield importlib.import_module("number_pages")
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


# What users meet; the other rooms also share names with each other.
ROOMS = ("inspection", "metafeatures", "metalearners", "search", "tables")


def _entries():
    """Full name of each entry of the API pages."""
    for path in sorted((DOCS / "api").glob("*.rst")):
        room, listing = "sk_metalearn", False
        for line in _text(path).splitlines():
            if line.startswith(".. currentmodule::"):
                room = line.split("::")[1].strip()
            if line and not line.startswith(" "):
                listing = line.startswith(".. autosummary::")
            elif listing and (name := line.strip()) and not name.startswith(":"):
                yield f"{room}.{name}"


def test_every_entry_of_the_api_is_there():
    for entry in _entries():
        module, _, name = entry.rpartition(".")
        assert hasattr(importlib.import_module(module), name), entry


def test_everything_that_users_meet_has_an_entry():
    listed = {entry.rpartition(".")[2] for entry in _entries()}
    for room in ROOMS:
        module = importlib.import_module(f"sk_metalearn.{room}")
        names = {name for name in module.__all__ if callable(getattr(module, name))}
        assert names <= listed, room
    assert set(sk_metalearn.__all__) - listed <= {"__version__", *_rooms()}


def _rooms():
    return [module.name for module in pkgutil.iter_modules(sk_metalearn.__path__)]


def test_tables_of_numbers_are_rectangular_and_filled(number_pages, tmp_path):
    number_pages.write_tables(ROOT / "benchmarks" / "results", tmp_path / "tables")
    for name in number_pages.TABLES:
        with open(tmp_path / "tables" / f"{name}.csv", newline="", encoding="utf-8") as file:
            head, *rows = csv.reader(file)
        assert rows, name
        assert {len(row) for row in rows} == {len(head)}, name


def test_every_table_is_shown_and_made(number_pages):
    pages = "".join(path.read_text(encoding="utf-8") for path in (DOCS / "numbers").glob("*.rst"))
    assert set(re.findall(r":file: tables/(\w+)\.csv", pages)) == set(number_pages.TABLES)


def test_every_benchmark_named_in_the_documentation_is_there():
    for path in [ROOT / "README.md", *DOCS.rglob("*.rst")]:
        for name in re.findall(
            r"(?:python|run) (benchmarks/\w+\.py|examples/\w+\.py)", _text(path)
        ):
            assert (ROOT / name).exists(), f"{path} names {name}"


def _text(path):
    return path.read_text(encoding="utf-8")


def test_the_files_that_the_readme_links_to_are_there():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", _text(ROOT / "README.md")):
        assert (ROOT / target).exists(), target


def test_every_example_has_a_picture_and_a_title():
    for path in (ROOT / "examples").glob("*/plot_*.py"):
        text = _text(path)
        assert "import matplotlib.pyplot as plt" in text, path
        assert re.match(r'"""\n(=+\n)?[^\n]+\n=+\n', text), path
    assert len(list((ROOT / "examples").glob("*/plot_*.py"))) >= 18
