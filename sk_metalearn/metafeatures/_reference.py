"""The register of meta-features as a page of the documentation.

``python -m sk_metalearn.metafeatures._reference docs/guide/metafeatures_reference.rst`` writes it.
"""

import sys
from pathlib import Path

from ._all_features import list_meta_features
from ._default import DEFAULT
from ._registry import COSTS, GROUPS

#: What the short names of the sources stand for.
SOURCES = {
    "Ali & Smith 2006": "On learning algorithm selection for classification. Applied Soft "
    "Computing 6(2)",
    "Bensusan & Giraud-Carrier 2000": "Discovering task neighbourhoods through landmark learning "
    "performances. PKDD",
    "Bensusan et al. 2000": "A higher-order approach to meta-learning. ILP work in progress",
    "Bischl et al. 2021": "OpenML benchmarking suites. NeurIPS datasets and benchmarks; the "
    "qualities themselves by OpenML's evaluation engine",
    "Castiello et al. 2005": "Meta-data: characterization of input features for meta-learning. "
    "MDAI",
    "Engels & Theusinger 1998": "Using a data metric for preprocessing advice for data mining "
    "applications. ECAI",
    "Feurer et al. 2015": "Efficient and robust automated machine learning. NIPS",
    "Filchenkov & Pendryak 2015": "Datasets meta-feature description for recommending feature "
    "selection algorithm. AINL-ISMW FRUCT",
    "Fürnkranz & Petrak 2001": "An evaluation of landmarking variants. ECML/PKDD workshop on "
    "integrating aspects of data mining",
    "Ho & Basu 2002": "Complexity measures of supervised classification problems. IEEE PAMI 24(3)",
    "Kalousis & Hilario 2001": "Model selection via meta-learning: a comparative study. "
    "International Journal on Artificial Intelligence Tools 10(4)",
    "Kalousis 2002": "Algorithm selection via meta-learning. PhD thesis, University of Geneva",
    "Kopf & Iglezakis 2002": "Combination of task description strategies and case base properties "
    "for meta-learning. IDDM workshop, ECML/PKDD",
    "Köpf et al. 2000": "Meta-analysis: from data characterisation for meta-learning to "
    "meta-regression. PKDD workshop",
    "Leyva et al. 2014": "A set of complexity measures designed for applying meta-learning to "
    "instance selection. IEEE TKDE 27(2)",
    "Lindner & Studer 1999": "AST: support for algorithm selection with a CBR approach. PKDD",
    "Lorena et al. 2018": "Data complexity meta-features for regression problems. Machine "
    "Learning 107(1)",
    "Lorena et al. 2019": "How complex is your classification problem? ACM Computing Surveys 52(5)",
    "Michie et al. 1994": "Machine learning, neural and statistical classification. Ellis Horwood",
    "Peng et al. 2002": "Improved dataset characterisation for meta-learning. Discovery Science",
    "Pfahringer et al. 2000": "Meta-learning by landmarking various learning algorithms. ICML",
    "Rivolli et al. 2022": "Meta-features for meta-learning. Knowledge-Based Systems 240",
    "Roy & Vetterli 2007": "The effective rank: a measure of effective dimensionality. EUSIPCO",
    "Salama et al. 2013": "Employment of neural network and rough set in meta-learning. Memetic "
    "Computing 5(3)",
    "Theil 1970": "On the estimation of relationships involving qualitative variables. American "
    "Journal of Sociology 76(1)",
    "this package": "defined here",
}

_KIND = {
    ("classification", "regression"): "both",
    ("classification",): "classes",
    ("regression",): "numbers",
}

_HEAD = """\
.. Written by: python -m sk_metalearn.metafeatures._reference docs/guide/metafeatures_reference.rst

.. _metafeatures-reference:

Reference of the meta-features
==============================

{n} meta-features, {classification} of them for classification and {regression} for regression.
*Task*: the kinds of task that a meta-feature exists for. *Cost*: which rows are read when
``fidelity="sampled"``: {costs}. *Equals*: the OpenML quality (with its name) or the pymfe feature
(in italics) that has the same value. A star marks the default set.

The page is written from the register by

.. code-block:: bash

    python -m sk_metalearn.metafeatures._reference docs/guide/metafeatures_reference.rst

Coverage
--------

*No target*: those that exist without ``y``. *OpenML* and *pymfe*: those with a counterpart there.

"""


def reference():
    """Write the register as reStructuredText.

    Returns
    -------
    str
        A page with a table per group, and the sources.
    """
    features = list_meta_features()
    costs = ", ".join(
        f"*{name}* {'all' if rows is None else f'at most {rows:,}'}" for name, rows in COSTS.items()
    )
    kinds = {kind: len(list_meta_features(kind)) for kind in ("classification", "regression")}
    parts = [_HEAD.format(n=len(features), costs=costs, **kinds), _coverage(features)]
    for group in GROUPS:
        parts.append(_table(group, [f for f in features if f.group == group]))
    used = sorted({feature.source for feature in features} - {"this package"})
    parts.append("Sources\n-------\n\n")
    parts.extend(f"* {name}: {SOURCES[name]}.\n" for name in used)
    return "".join(parts)


def _coverage(features):
    rows = [("Group", "Classification", "Regression", "No target", "OpenML", "pymfe", "Default")]
    for group in (*GROUPS, "all"):
        own = [feature for feature in features if group in (feature.group, "all")]
        counts = (
            sum("classification" in feature.kinds for feature in own),
            sum("regression" in feature.kinds for feature in own),
            sum(not feature.needs_target for feature in own),
            sum(feature.openml is not None for feature in own),
            sum(feature.pymfe is not None for feature in own),
            sum(feature.name in DEFAULT for feature in own),
        )
        rows.append((group, *map(str, counts)))
    lines = [".. list-table::", "   :header-rows: 1\n"]
    lines += ["   * - " + "\n     - ".join(row) for row in rows]
    return "\n".join(lines) + "\n\n"


def _table(group, features):
    title = group.capitalize()
    lines = [
        f"{title}\n{'-' * len(title)}\n",
        ".. list-table::",
        "   :header-rows: 1",
        "   :widths: 18 38 10 8 8 8 12 12\n",
        "   * - Name\n     - Definition\n     - Range\n     - Unit\n     - Task\n     - Cost\n"
        "     - Equals\n     - Source",
    ]
    for feature in features:
        equals = feature.openml or (f"*{feature.pymfe}*" if feature.pymfe else "")
        cells = (
            f"``{feature.name}``{' ★' if feature.name in DEFAULT else ''}",
            feature.definition.replace("|", "\\|").replace("*", "\\*"),
            feature.range,
            feature.unit,
            _KIND[feature.kinds],
            feature.cost,
            equals,
            feature.source,
        )
        lines.append("   * - " + "\n     - ".join(cells))
    return "\n".join(lines) + "\n\n"


def main():
    """Write the page to the path given."""
    Path(sys.argv[1]).write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
