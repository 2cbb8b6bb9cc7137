"""Sphinx configuration."""

import importlib.metadata

project = "sk_metalearn"
author = "The sk_metalearn developers"
copyright = "2026, The sk_metalearn developers"
release = version = importlib.metadata.version("sk-metalearn")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "auto_examples/**/*.ipynb", "auto_examples/**/*.py"]
html_theme = "pydata_sphinx_theme"
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": False}
html_show_sourcelink = False
autosummary_generate = True
numpydoc_show_class_members = False
default_role = "code"
# Inherited docstrings refer to labels and terms of scikit-learn's own documentation.
suppress_warnings = ["config.cache", "ref.ref", "ref.term"]

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"plot_|quickstart",
    "ignore_pattern": r"__init__\.py",
    "download_all_examples": False,
    "show_memory": False,
    "plot_gallery": True,
}
