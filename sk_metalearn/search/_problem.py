"""The first step of a search: what is to be solved, and how candidates are judged."""

from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import is_classifier, is_regressor
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.multiclass import type_of_target

from .._compat import check_method_params, num_samples, safe_indexing, scorer_names
from ..evaluation import Journal
from ..spaces import Schema
from ..tables import choose_rows, cut_folds
from ._fingerprint import fingerprint_of, seed_of, take_up
from ._folds import draw_folds, in_order_of_time, latest_rows, shuffled_folds
from ._rows_of_text import rows_in_time

__all__ = ["Objective", "Problem", "kind_of", "pose_problem"]

# Under a budget, of a sample of the rows.
_FOLDS_OF_SAMPLE = 3
# Whole pipelines have a past of single targets; of an estimator around others nothing is known.
_SEVERAL = ("multilabel-indicator", "multiclass-multioutput", "continuous-multioutput")


@dataclass(frozen=True)
class Objective:
    """Reads the score that a search maximises from the result of a fold.

    Parameters
    ----------
    name : str
        Which of several metrics.
    """

    name: str = "score"

    def __call__(self, result):
        """Give the score; NaN where the fold failed.

        Parameters
        ----------
        result : FoldResult

        Returns
        -------
        float
        """
        if result.status not in ("ok", "invalid") or result.scores is None:
            return np.nan
        if isinstance(result.scores, dict):
            scores = result.scores
            return scores[self.name] if self.name in scores else next(iter(scores.values()))
        return result.scores


@dataclass(frozen=True)
class Problem:
    """What one search is to solve; frozen before its first candidate runs.

    Parameters
    ----------
    X, y : array-like
        The rows that are searched; y may have a column for each of several outputs.
    kind : {"classification", "regression", ""}
        Empty where it is neither.
    schema : Schema or None
        None where X is not a table.
    no_past : str
        Why past tasks have nothing to say; empty if they may have.
    splits : list of (ndarray, ndarray)
        Training and test rows of each fold; drawn once.
    scorer : callable
    metric_names : tuple of str
        Where a scorer gives several metrics.
    objective : Objective
    told : callable
        Gives all scores of a fold; the scorer itself where no metric is only told.
    fit_params, score_params, split_params : dict
        What `fit` was given beside X and y, by receiver, cut to the rows that are searched.
    seed : int
    fingerprint : dict of str to str
        What another search must share to go on from this one; empty without a checkpoint.
    saved : Journal or None
        The checkpoint that this search goes on from.
    whole : tuple of (array-like, array-like, dict, dict)
        X, y and the parameters of `fit` and of the scorer for all rows.
    layout : Layout or None
        What the columns are, where that was decided for all rows.
    rows : ndarray of int or None
        Which of all rows are searched; None: all of them.
    n_given : int
        Rows that the user gave; `whole` has fewer where memory does not allow all.
    table : tuple of (array-like, Layout or None)
        What the pipelines of the catalogue meet: X and its layout, or what the user's own steps
        make of it.
    steps : dict of (str or None) to OwnSteps
        The user's own, by name where there are several to choose from.
    """

    X: Any
    y: Any
    kind: str
    schema: Schema | None
    no_past: str
    splits: list
    scorer: Any
    metric_names: tuple
    objective: Objective
    told: Any
    fit_params: dict
    score_params: dict
    split_params: dict
    seed: int
    fingerprint: dict = field(default_factory=dict)
    saved: Journal | None = None
    whole: tuple = ()
    layout: Any = None
    rows: Any = None
    n_given: int = 0
    table: tuple = ()
    steps: dict = field(default_factory=dict)

    @property
    def n_rows(self):
        """Number of rows that are searched."""
        return num_samples(self.X)

    @property
    def n_outputs(self):
        """Number of columns of the target."""
        return self.y.shape[1] if np.ndim(self.y) == 2 else 1


def pose_problem(
    X,
    y,
    routed,
    scorer,
    metric,
    options,
    stack,
    *,
    estimator=None,
    space=None,
    kind=None,
    layout=None,
    classes=None,
    told=None,
    most_rows=None,
):
    """Pose the problem of a search.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or None
    routed : Bunch
        What `fit` was given beside them, sorted by receiver.
    scorer : callable
    metric : str
        Name of the metric to maximise, where there are several.
    options : SearchOptions
    stack : ExitStack
        Closes a checkpoint that was opened.
    estimator : estimator or None, default=None
        The user's own; None where whole pipelines are searched.
    space : object, default=None
        As given by the user, for the checkpoint.
    kind : {"classification", "regression"}, default=None
        By default what the estimator is.
    layout : Layout or None, default=None
        What the columns of X are; by default read from them.
    classes : ndarray of shape (n_classes,) or None, default=None
        What the values of y stand for, where these may be codes.
    told : callable or None, default=None
        Gives the score and those of further metrics; by default the scorer.
    most_rows : int or None, default=None
        Rows that memory allows; of more the others are left out.

    Returns
    -------
    Problem

    Raises
    ------
    ValueError
        If there are no folds, or they do not fit the rows.
    CheckpointError
        If the checkpoint belongs to another search.
    """
    kind = kind_of(estimator) if kind is None else kind
    names = tuple(scorer_names(scorer))
    if names and metric not in names:
        metric = names[0]
    params = {**routed.estimator.fit, **routed.splitter.split}
    fingerprint, saved = {}, None
    if options.checkpoint is not None:
        fingerprint = fingerprint_of(X, y, params, options, estimator, space, classes)
        fewer = most_rows is not None and most_rows < min(num_samples(X), options.max_rows)
        fingerprint["the rows that memory allows"] = str(most_rows) if fewer else "all"
        saved = take_up(options.checkpoint, fingerprint, num_samples(X), stack)
    if saved is None:
        seed = int(check_random_state(options.random_state).randint(2**31 - 1))
    else:
        seed = seed_of(saved, options.checkpoint)
    most = [n for n in (most_rows, rows_in_time(X, layout, options)) if n is not None]
    rows = _rows_to_search(y, kind, options, seed, most)
    whole = X, y, dict(routed.estimator.fit), dict(routed.scorer.score)
    fit_params, score_params = dict(routed.estimator.fit), dict(routed.scorer.score)
    n_rows = num_samples(X)
    if rows is not None:
        X, y = safe_indexing(X, rows), safe_indexing(y, rows)
        fit_params = check_method_params(whole[0], params=fit_params, indices=rows)
        score_params = check_method_params(whole[0], params=score_params, indices=rows)
    if saved is not None:
        splits = saved.splits
    elif options.max_rows is not None and (options.cv is None or isinstance(options.cv, Integral)):
        n_folds = options.cv
        if n_folds is None and rows is not None and options.timed:
            # What is chosen on so many rows is fitted on others: more candidates are worth more.
            n_folds = _FOLDS_OF_SAMPLE
        cv = shuffled_folds(n_folds, y, kind, seed)
        splits = draw_folds(cv, X, y, routed.splitter.split)
    else:
        cv = check_cv(options.cv, whole[1], classifier=_stratifies(estimator, kind))
        # A splitter may know rows by their place among all.
        splits = draw_folds(cv, *whole[:2], routed.splitter.split)
        splits = splits if rows is None else cut_folds(splits, rows, n_rows)
    if options.final == "latest":
        whole = _latest(whole, splits, rows, options, classes, kind)
    elif most_rows is not None and most_rows < n_rows:
        whole, rows = _cut(whole, rows, most_rows, kind, seed)
    schema, no_past = _describe(X, y, kind, estimator, layout, splits)
    return Problem(
        X=X,
        y=y,
        kind=kind,
        schema=schema,
        no_past=no_past,
        splits=splits,
        scorer=scorer,
        metric_names=names,
        objective=Objective(metric),
        told=scorer if told is None else told,
        fit_params=fit_params,
        score_params=score_params,
        split_params=dict(routed.splitter.split),
        seed=seed,
        fingerprint=fingerprint,
        saved=saved,
        whole=whole,
        layout=layout,
        rows=rows,
        n_given=n_rows,
        table=(X, layout),
    )


def kind_of(estimator):
    """Give the kind of task that an estimator solves, empty if neither of ours."""
    if is_classifier(estimator):
        return "classification"
    return "regression" if is_regressor(estimator) else ""


def _stratifies(estimator, kind):
    return kind == "classification" if estimator is None else is_classifier(estimator)


def _latest(whole, splits, rows, options, classes, kind):
    """Cut what the final model is fitted on to the latest rows."""
    if not in_order_of_time(splits):
        raise ValueError(
            "final='latest' needs folds in order of time, such as cv=TimeSeriesSplit(5, "
            f"max_train_size=1000); cv={options.cv!r} trains on rows that come after those that "
            "it tests."
        )
    X, y, *params = whole
    rows = latest_rows(splits, rows, num_samples(y))
    cut = safe_indexing(y, rows)
    if classes is not None and len(np.unique(cut)) < len(np.unique(y)):
        gone = classes[np.isin(np.unique(y), np.unique(cut), invert=True)].tolist()
        raise ValueError(
            f"The latest {len(rows)} of {len(y)} rows hold none of the classes {gone}. Give "
            "final='refit', or a cv with a longer last fold."
        )
    if kind == "classification" and np.ndim(cut) == 2:
        gone = np.flatnonzero(np.ptp(np.asarray(cut), axis=0) == 0).tolist()
        if gone:
            raise ValueError(
                f"Of the latest {len(rows)} of {len(y)} rows all or none have the labels of the "
                f"columns {gone} of y. Give final='refit', or a cv with a longer last fold."
            )
    params = [check_method_params(X, params=own, indices=rows) for own in params]
    return (safe_indexing(X, rows), cut, *params)


def _rows_to_search(y, kind, options, seed, most):
    """Rows of a large table that are searched; None: all of them."""
    if options.max_rows is None or isinstance(options.cv, list):
        # Folds given as rows refer to all of them.
        return None
    rows = choose_rows(y, min([options.max_rows, *most]), kind, np.random.RandomState(seed))
    return None if len(rows) == len(y) else rows


def _cut(whole, rows, most_rows, kind, seed):
    """Cut a table to so many rows, among them those that are searched, and say where these are."""
    X, y, *params = whole
    others = np.setdiff1d(np.arange(num_samples(y)), rows, assume_unique=True)
    if most_rows <= len(rows):
        kept = rows
    else:
        rng = np.random.RandomState(seed)
        own = choose_rows(safe_indexing(y, others), most_rows - len(rows), kind, rng)
        kept = np.sort(np.concatenate([rows, others[own]]))
    params = [check_method_params(X, params=own, indices=kept) for own in params]
    cut = (safe_indexing(X, kept), safe_indexing(y, kept), *params)
    return cut, None if len(kept) == len(rows) else np.searchsorted(kept, rows)


def _describe(X, y, kind, estimator, layout, splits):
    """Schema of the table, and why past tasks have nothing to say about it."""
    if not kind or y is None:
        return None, "the task is neither classification nor regression"
    # Text, images, a target with gaps, anything: the search goes on without the past.
    no_past = ""
    try:
        target = type_of_target(y)
        if estimator is not None and target in _SEVERAL:
            no_past = f"the knowledge has no {target} tasks"
    except Exception as error:
        no_past = f"y is not a target that it knows ({type(error).__name__}: {error})"
    try:
        dense = y.toarray() if issparse(y) else y
        folds = () if layout is None else splits
        schema = Schema.from_data(X, dense, kind, columns=layout, folds=folds)
    except Exception as error:
        return None, f"X is not a table ({type(error).__name__}: {error})"
    if not no_past and estimator is not None and get_tags(estimator).input_tags.pairwise:
        no_past = "X is a matrix of kernel values or distances"
    return schema, no_past
