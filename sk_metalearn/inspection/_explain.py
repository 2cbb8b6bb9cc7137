"""A search in words: what the knowledge was, what was tried and why, whether it helped."""

import html

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..search import as_html, settings_text
from ._metric import metric_of

__all__ = ["Explanation", "explain"]


class Explanation:
    """An account of a search; `str` gives text, a notebook shows a table.

    Parameters
    ----------
    summary : str
        What is known of the task and what was found.
    rows : list of dict
        A row per candidate, in the order tried.
    """

    def __init__(self, summary, rows):
        self.summary = summary
        self.rows = rows

    def __str__(self):
        lines = [self.summary, ""]
        for number, row in enumerate(self.rows, 1):
            lines.append(
                f"{number:>3}. {row['score']:.4f}  {row['seconds']:6.2f} s  {row['status']:8s} "
                f"{row['reason']}: {row['settings']}"
            )
        return "\n".join(lines)

    def __repr__(self):
        return f"<Explanation of {len(self.rows)} candidates; read it with print()>"

    def _repr_html_(self):
        text = html.escape(self.summary).replace("\n", "<br>")
        return f"<p>{text}</p>{as_html(self.rows)}"


def explain(search):
    """Give an account of a fitted search.

    Parameters
    ----------
    search : MetaSearchCV, AutoClassifier or AutoRegressor
        Fitted.

    Returns
    -------
    Explanation
        Prints as text; a notebook shows a table.
    """
    check_is_fitted(search)
    results, kind = search.cv_results_, getattr(search, "_kind", None)
    estimator = getattr(search, "estimator", None)
    # There is none where no candidate was finished.
    scores = results.get(f"mean_test_{metric_of(search)}", ())
    rows = [
        {
            "score": float(score),
            "seconds": float(seconds),
            "status": str(status),
            "reason": str(reason),
            "settings": settings_text(params, estimator, kind),
        }
        for score, seconds, status, reason, params in zip(
            scores,
            np.asarray(results["mean_fit_time"]) + np.asarray(results["mean_score_time"]),
            results["status"],
            results["reason"],
            results["params"],
            strict=True,
        )
    ]
    summary = f"{search.knowledge_report_}\nThe search stopped: {search.stop_reason_}."
    return Explanation(summary.strip(), rows)
