"""``cv_results_`` from the trials of a search."""

import warnings

import numpy as np
from scipy.stats import rankdata

from .._compat import masked_params

__all__ = ["format_results", "scores_of"]


def scores_of(trial, n_folds, which="scores"):
    """Give the scores of a trial per metric and fold, NaN for folds that were not run.

    Parameters
    ----------
    trial : Trial
    n_folds : int
    which : {"scores", "train_scores"}

    Returns
    -------
    dict of str to ndarray of shape (n_folds,)
        A score without a name is under None.
    """
    found = {}
    for fold, result in trial.folds.items():
        scores = getattr(result, which)
        if not isinstance(scores, dict):
            scores = {None: np.nan if scores is None else scores}
        for name, value in scores.items():
            found.setdefault(name, np.full(n_folds, np.nan))[fold] = value
    return found


def format_results(trials, params, n_folds, return_train_score):
    """Make the columns of ``GridSearchCV.cv_results_``, in its order, and then our own.

    Parameters
    ----------
    trials : list of Trial
    params : list of dict
        Parameters of each.
    n_folds : int
    return_train_score : bool

    Returns
    -------
    dict of str to array
    """
    results = {}
    for name in ("fit", "score"):
        seconds = [[getattr(r, f"{name}_seconds") for r in t.folds.values()] for t in trials]
        results[f"mean_{name}_time"] = np.array([np.mean(own) if own else 0.0 for own in seconds])
        results[f"std_{name}_time"] = np.array([np.std(own) if own else 0.0 for own in seconds])
    for name, column in masked_params(params):
        results[name] = column
    results["params"] = params

    parts = [("test", "scores")] + [("train", "train_scores")] * bool(return_train_score)
    stored = {part: [scores_of(t, n_folds, which) for t in trials] for part, which in parts}
    names = dict.fromkeys(name for own in stored["test"] for name in own)
    metrics = [name for name in names if name is not None] or ["score"]
    missing = np.full(n_folds, np.nan)
    status = np.array([t.status for t in trials], dtype=object)
    for metric in metrics:
        for part, _ in parts:
            rows = [_row(own, metric, missing) for own in stored[part]]
            table = np.reshape(rows, (len(trials), n_folds))
            _store(results, f"{part}_{metric}", table, part == "test", status)
    _add_own(results, trials)
    return results


def _row(scores, metric, missing):
    """Scores per fold; where a fit failed before a callable named its metrics, all are alike."""
    row, nameless = scores.get(metric, missing), scores.get(None, missing)
    return np.where(np.isnan(row), nameless, row)


def _store(results, name, table, rank, status):
    for fold in range(table.shape[1]):
        results[f"split{fold}_{name}"] = table[:, fold]
    means = table.mean(axis=1)
    if not np.isin(status, ("ok", "over_limit")).any():
        # Where no candidate was finished the folds that were done have to do.
        for i in np.flatnonzero((status == "unfinished") & np.isfinite(table).any(axis=1)):
            means[i] = table[i][np.isfinite(table[i])].mean()
    if not np.isfinite(means[~np.isin(status, ("raced", "unfinished"))]).all():
        part = name.split("_")[0]
        warnings.warn(f"One or more of the {part} scores are non-finite: {means}", UserWarning)
    results[f"mean_{name}"] = means
    results[f"std_{name}"] = table.std(axis=1)
    if not rank:
        return
    known = means[~np.isnan(means)]
    worst = known.min() - 1 if len(known) else 0.0
    ranked = np.where(np.isnan(means), worst, means)
    results[f"rank_{name}"] = rankdata(-ranked, method="min").astype(np.int32)


def _add_own(results, trials):
    """Add what a search with knowledge can say beyond a grid search."""
    results["reason"] = np.array([t.proposal.reason for t in trials], dtype=object)
    results["predicted_score"] = np.array([t.proposal.expected for t in trials], dtype=float)
    results["predicted_seconds"] = np.array([t.proposal.seconds for t in trials], dtype=float)
    results["estimate"] = np.array([t.estimate for t in trials], dtype=float)
    results["status"] = np.array([t.status for t in trials], dtype=object)
    results["failure"] = np.array([_last_line(t.failure) for t in trials], dtype=object)
    results["begun"] = np.array([t.begun for t in trials], dtype=float)
    results["elapsed"] = np.array([t.elapsed for t in trials], dtype=float)


def _last_line(text):
    lines = text.strip().splitlines()
    return lines[-1][:300] if lines else ""
