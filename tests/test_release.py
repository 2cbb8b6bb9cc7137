"""What is told about the package: versions, names for editors, citation."""

import ast
import configparser
import re
import sys
from pathlib import Path

import sk_metalearn
from sk_metalearn._show_versions import PACKAGES

ROOT = Path(__file__).parents[1]
SETUP = configparser.ConfigParser()
SETUP.read_string((ROOT / "setup.cfg").read_text(encoding="utf-8"))
# Extras that serve work on the package itself.
FOR_DEVELOPERS = {"test", "docs", "dev"}


def test_show_versions_names_what_is_there_and_what_is_not(capsys, monkeypatch):
    monkeypatch.setattr("sk_metalearn._show_versions.PACKAGES", (*PACKAGES, "no-such-package"))
    sk_metalearn.show_versions()
    lines = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    assert lines["sk_metalearn"] == sk_metalearn.__version__
    assert lines["python"].startswith(".".join(map(str, sys.version_info[:3])))
    assert re.match(r"\d+\.\d+", lines["scikit-learn"])
    assert lines["no-such-package"] == "not installed"
    assert {"system", *PACKAGES} <= set(lines)
    # No folder, and so no name of a user.
    assert not any(sys.prefix in line or str(Path.home()) in line for line in lines.values())


def test_show_versions_knows_all_requirements():
    extras = dict(SETUP["options.extras_require"])
    wanted = SETUP["options"]["install_requires"].split()
    wanted += [line for name in extras.keys() - FOR_DEVELOPERS for line in extras[name].split()]
    assert {re.match(r"[\w-]+", line)[0] for line in wanted} | {"polars"} == set(PACKAGES)


def test_editors_see_the_names_that_are_imported_late():
    tree = ast.parse(Path(sk_metalearn.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: line.module for line in block.body for alias in line.names}
    assert seen == sk_metalearn._ROOMS


def test_the_citation_is_of_this_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {sk_metalearn.__version__}\n" in citation
    assert (ROOT / "CHANGELOG.rst").read_text("utf-8").startswith(sk_metalearn.__version__)
