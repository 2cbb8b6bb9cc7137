"""Sphinx configuration."""

import importlib.metadata
import importlib.util
import sys
import warnings
from pathlib import Path

from sklearn.exceptions import ConvergenceWarning

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent / "benchmarks")]

import links  # noqa: E402
import number_pages  # noqa: E402

number_pages.write_tables(HERE.parent / "benchmarks" / "results", HERE / "numbers" / "tables")

project = "sk_metalearn"
author = "The sk_metalearn developers"
copyright = "2026, The sk_metalearn developers"
release = version = importlib.metadata.version("sk-metalearn")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "links",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "auto_examples/**/*.ipynb", "auto_examples/**/*.py"]
default_role = "obj"
rst_prolog = ".. currentmodule:: sk_metalearn\n"
autosummary_generate = True
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
intersphinx_mapping = {
    "sklearn": links.write_inventory(HERE / "generated" / "scikit-learn.inv"),
}
# Inherited docstrings refer to labels and terms of scikit-learn's own documentation.
suppress_warnings = ["config.cache", "ref.ref", "ref.term"]

html_theme = "pydata_sphinx_theme"
html_title = "sk_metalearn"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_show_sourcelink = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {"index": [], "tutorial": [], "comparison": [], "pitfalls": [], "faq": []}

# One example learns with PyTorch, which the documentation can do without.
skipped = ["quickstart"] + ["plot_few_shot_digits"] * (importlib.util.find_spec("torch") is None)

# A candidate that does not converge is no news in an example.
warnings.filterwarnings("ignore", category=ConvergenceWarning)

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"plot_",
    "ignore_pattern": "|".join(skipped),
    "subsection_order": [
        f"../examples/{name}"
        for name in ("search", "inspection", "knowledge", "strategies", "metafeatures")
    ]
    + ["*"],
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_memory": False,
    "write_computation_times": False,
    "plot_gallery": True,
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("sk_metalearn",),
    "abort_on_example_error": False,
}
