"""What a search did, as one page of HTML that needs nothing else."""

import html
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._compat import safe_indexing
from .._version import __version__
from ..search import as_html, leaderboard_rows, settings_text, show_number, show_seconds, to_code
from ._curve import curve_svg
from ._history import SearchHistoryDisplay
from ._importance import ColumnImportanceDisplay

__all__ = ["report"]

# Rows and repeats for the importance of columns; fewer where a model would take longer than so
# many seconds.
_MOST_ROWS, _REPEATS, _MOST_COLUMNS, _SECONDS = 1000, 3, 20, 15.0
_FEWEST_ROWS = 100
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#222;max-width:60rem;margin:0 auto;padding:1rem}
h1{font-size:1.6rem;overflow-wrap:anywhere}h2{font-size:1.15rem;margin-top:2rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem;margin:.5rem 0}
th,td{padding:.25rem .6rem;border-bottom:1px solid #e4e4e4;vertical-align:top}
th{text-align:left;border-bottom:2px solid #ccc}td{overflow-wrap:break-word;max-width:30rem}
svg{width:100%;min-width:36rem;height:auto;font:12px system-ui,sans-serif}
.legend span{margin-right:1.2rem;display:inline-block}
.facts{display:flex;flex-wrap:wrap;gap:.7rem;padding:0;list-style:none}
.facts li{background:#f3f5f8;border-radius:.4rem;padding:.5rem .9rem}
.facts b{display:block;font-size:1.25rem}
pre{background:#f3f5f8;border-radius:.4rem;padding:.8rem;overflow-x:auto;font-size:.8rem}
.bar{background:#4a7ebb;height:.8rem;display:inline-block}footer{color:#777;margin-top:2rem}
"""


def report(search, path, *, X=None, y=None):
    """Write what a search did as one page of HTML; it holds all it shows and asks for nothing.

    What was tried and how it went, the past datasets and what they said, the columns and their
    roles, the final model with its Python code and, where data are given, what its predictions
    depend on.

    Parameters
    ----------
    search : MetaSearchCV, AutoClassifier or AutoRegressor
        Fitted.
    path : path-like
        File to write; one that is there is replaced.
    X : array-like or dataframe of shape (n_samples, n_features), default=None
        Rows for the importance of columns, best of all such as the search has not seen. At most
        1,000 of them are used, fewer of a slow model; the page says how many. Needs `y`.
    y : array-like of shape (n_samples,), default=None
        Their target.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ValueError
        If only one of `X` and `y` is given.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sk_metalearn import MetaSearchCV
    >>> from sk_metalearn.inspection import report
    >>> search = MetaSearchCV(SVC(), {"C": [0.1, 1, 10]}).fit(*load_iris(return_X_y=True))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     "<svg" in report(search, Path(folder) / "report.html").read_text(encoding="utf-8")
    True
    """
    check_is_fitted(search, "cv_results_")
    if (X is None) != (y is None):
        raise ValueError("The importance of columns needs both X and y; only one was given.")
    path = Path(path)
    path.write_text(_page(search, X, y), encoding="utf-8")
    return path


def _page(search, X, y):
    title = f"{type(search).__name__}: what the search did"
    sections = [
        _facts(search),
        _section("The course of the search", _curve(search)),
        _section("What was tried, best first", _tried(search)),
        _section("Past datasets", _past(search)),
        _section("Columns", _columns(search)),
        _section("The final model", _model(search)),
        _section("What the predictions depend on", _importances(search, X, y)),
        _section("Python code of the model, unfitted", _code(search)),
    ]
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{html.escape(title)}</h1>{''.join(sections)}"
        f"<footer>Written by sk_metalearn {__version__}.</footer></body></html>"
    )


def _section(title, content):
    return f"<section><h2>{title}</h2>{content}</section>" if content else ""


def _scroll(table):
    return f'<div class="scroll">{table}</div>' if table else ""


def _facts(search):
    metric = SearchHistoryDisplay.from_estimator(search).metric
    results = search.cv_results_
    best, dummy = getattr(search, "best_score_", np.nan), search.knowledge_report_.get("dummy")
    ended = np.asarray(results["begun"]) + results["elapsed"]
    facts = [
        (show_number(best), f"{metric} on {search.n_splits_} folds"),
        (show_number(dummy), f"{metric} of a dummy"),
        (str(len(results["params"])), f"candidates, ended by {search.stop_reason_}"),
        (show_seconds(float(np.max(ended, initial=0.0))), "for the search"),
    ]
    estimate = getattr(search, "score_estimate_", None)
    if estimate is not None:
        expected = f"{show_number(estimate.score)} ± {show_number(estimate.standard_error)}"
        facts.insert(
            1, (expected, "to be expected on new rows (each fold judges what the others chose)")
        )
    if hasattr(search, "refit_on_"):
        facts.append((show_seconds(search.refit_time_), f"for the model, on {search.refit_on_}"))
    items = "".join(f"<li><b>{html.escape(a)}</b>{html.escape(b)}</li>" for a, b in facts)
    return f'<ul class="facts">{items}</ul>'


def _curve(search):
    dummy = search.knowledge_report_.get("dummy", np.nan)
    return curve_svg(SearchHistoryDisplay.from_estimator(search), dummy)


def _tried(search):
    names = ("rank", "score", "spread", "seconds", "status", "settings", "reason")
    names = (*names[:4], "weight", *names[4:]) if hasattr(search, "ensemble_") else names
    rows = leaderboard_rows(search)
    return _scroll(as_html([{name: row[name] for name in names} for row in rows]))


def _past(search):
    return _scroll(search.knowledge_report_._repr_html_())


def _columns(search):
    layout = getattr(search, "_layout", None)
    if layout is None:
        return ""
    rows = [{**own, "column": str(own["column"])} for own in layout.describe()]
    return _scroll(as_html([{n: "" if v is None else v for n, v in own.items()} for own in rows]))


def _model(search):
    members = getattr(search, "ensemble_", {})
    params = search.cv_results_["params"]
    if len(members) > 1:
        total = sum(members.values())
        heaviest = sorted(members, key=members.get, reverse=True)
        return _bars(
            [(settings_text(params[i], kind=search._kind), members[i] / total) for i in heaviest],
            "member",
            "share of the votes",
        )
    if not hasattr(search, "best_index_") or search.best_index_ < 0:
        return ""
    best = params[search.best_index_]
    estimator, kind = getattr(search, "estimator", None), getattr(search, "_kind", None)
    return f"<p>{html.escape(settings_text(best, estimator, kind))}</p>"


def _importances(search, X, y):
    if X is None:
        return ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        n_rows, n_repeats = _affordable(search, X, y)
        found = ColumnImportanceDisplay.from_estimator(
            search, X, y, n_repeats=n_repeats, max_rows=n_rows, random_state=0
        ).rows()
    pairs = [(row["column"], row["lost"]) for row in found[:_MOST_COLUMNS]]
    told = _bars(pairs, "column", "loss of score, shuffled")
    times = "once" if n_repeats == 1 else f"{n_repeats} times"
    return f"<p>On {n_rows:,} of the rows given, each column shuffled {times}.</p>{told}"


def _affordable(search, X, y):
    """Rows and repeats that a model has the time for."""
    n_rows, n_columns = X.shape if hasattr(X, "shape") else (len(X), len(X[0]))
    n_rows = min(n_rows, _MOST_ROWS)
    rows = np.arange(n_rows)
    part, target = safe_indexing(X, rows), safe_indexing(y, rows)
    begun = time.perf_counter()
    search.score(part, target)
    passes = _SECONDS / max(time.perf_counter() - begun, 1e-9) / n_columns
    if passes >= 1:
        return n_rows, int(min(passes, _REPEATS))
    return max(min(n_rows, _FEWEST_ROWS), int(n_rows * passes)), 1


def _bars(pairs, what, measure):
    most = max((abs(value) for _, value in pairs), default=0.0) or 1.0
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{show_number(value)}</td><td>"
        f'<span class="bar" style="width:{max(0.0, value) / most * 12:.1f}rem"></span></td></tr>'
        for name, value in pairs
    )
    head = f"<tr><th>{what}</th><th>{measure}</th><th></th></tr>"
    return _scroll(f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>")


def _code(search):
    if not hasattr(search, "best_estimator_"):
        return ""
    try:
        code = to_code(search)
    except ValueError as error:
        return f"<p>{html.escape(str(error))}</p>"
    return f"<pre>{html.escape(code)}</pre>"
