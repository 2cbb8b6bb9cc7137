"""Ensemble selection over the out-of-fold predictions of the candidates of a search."""

import time

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from .._compat import safe_indexing
from ._fast_scores import fast_score, proper_score

__all__ = ["mix", "score_mixtures", "select_members"]

# Scores that differ by less, relative to their size, are equal.
_ROUNDING = 1e-6
# How often the candidates are dealt into halves, each of which chooses for itself, and the least
# share of all choices that makes a member.
_N_SPLITS, _LEAST_SHARE = 4, 0.03


class _Given:
    """Stands for an estimator whose predictions are known; X is the rows to predict."""

    def fit(self, X, y=None):
        return self

    def __sklearn_is_fitted__(self):
        return True


class _GivenClassifier(_Given, ClassifierMixin, BaseEstimator):
    def __init__(self, probabilities=None, classes=None):
        self.probabilities = probabilities
        self.classes = classes
        self.classes_ = classes

    def predict_proba(self, X):
        return self.probabilities[np.asarray(X).ravel()]

    def predict(self, X):
        return np.asarray(self.classes)[self.predict_proba(X).argmax(axis=1)]


class _GivenRegressor(_Given, RegressorMixin, BaseEstimator):
    def __init__(self, values=None):
        self.values = values

    def predict(self, X):
        return self.values[np.asarray(X).ravel()]


def select_members(
    predictions,
    y,
    scorer,
    tests,
    classes=None,
    score_params=None,
    n_rounds=12,
    pool_size=12,
    costs=None,
    deadline=np.inf,
):
    """Choose members and weights of an ensemble by greedy forward selection with replacement.

    Random halves of the candidates choose for themselves, and their choices are added: on few
    rows a single selection ends with too few members. Equal scores are told apart by the log
    likelihood, or the squared error of values.

    Parameters
    ----------
    predictions : list of ndarray of shape (n_rows, n_classes) or (n_rows,)
        Out-of-fold predictions of each candidate: probabilities in the order of `classes`, or
        values.
    y : ndarray of shape (n_rows,)
        Only rows in `tests` are used.
    scorer : callable
        ``scorer(estimator, X, y)``, higher is better.
    tests : list of ndarray of int
        Test rows of each fold; the score is the mean over folds, as in the search.
    classes : ndarray of shape (n_classes,), optional
        None for regression.
    score_params : dict of str to ndarray of shape (n_rows,), optional
        For the scorer, such as sample weights.
    n_rounds : int, default=12
        Rounds of each selection; the best of them counts.
    pool_size : int, default=12
        Only the best so many candidates take part.
    costs : ndarray of shape (n_candidates, n_limits), optional
        What each takes of some limits, as shares: those of the members are not to be more than 1
        together.
    deadline : float, optional
        ``time.monotonic()`` after which no further round is begun; a selection that is not done
        does not count.

    Returns
    -------
    weights : dict of int to int
        How often each member was chosen, by index; a single member with weight 1 where no
        mixture is better than the best candidate; empty if there was no time for one round.
    score : float
        Score of the ensemble on the folds; at least that of the best candidate.

    References
    ----------
    R. Caruana, A. Niculescu-Mizil, G. Crew and A. Ksikes, "Ensemble selection from libraries of
    models", ICML 2004.
    """
    judge = _Judge(y, scorer, tests, classes, score_params, deadline)
    singles = [judge(own[None]) for own in predictions]
    if any(own is None for own in singles):
        return {}, -np.inf
    scores = np.array([own[0][0] for own in singles])
    propers = np.array([own[1][0] for own in singles])
    pool = np.lexsort((-propers, -scores))[:pool_size]
    stacked = np.stack([np.asarray(predictions[i], dtype=float) for i in pool])
    costs = np.zeros((len(predictions), 1)) if costs is None else np.asarray(costs, dtype=float)
    costs = costs[pool]
    single = scores[pool[0]], propers[pool[0]]
    counts = np.zeros(len(pool), dtype=int)
    for bag in _bags(len(pool), judge) if n_rounds > 1 else ():
        first = scores[pool[bag[0]]], propers[pool[bag[0]]]
        members = _grow(judge, stacked[bag], first, n_rounds, costs[bag])
        if members is None:
            break
        np.add.at(counts, bag[members], 1)
    counts[counts < _LEAST_SHARE * counts.sum()] = 0
    while costs[counts > 0].sum(axis=0).max() > 1 and (counts > 0).sum() > 1:
        counts[np.argmin(np.where(counts > 0, counts, np.inf))] = 0
    if (counts > 0).sum() > 1:
        judged = judge(np.tensordot(counts / counts.sum(), stacked, 1)[None])
        if judged is not None and _better((judged[0][0], judged[1][0]), single):
            chosen = zip(pool.tolist(), counts.tolist(), strict=True)
            return {i: count for i, count in chosen if count}, float(judged[0][0])
    return {int(pool[0]): 1}, float(single[0])


def _bags(n, judge):
    """Halves of the candidates, best first: each is in as many as any other."""
    # The metric of a user may take its time.
    if n < 4 or judge.fast is None:
        return [np.arange(n)]
    random = np.random.RandomState(0)
    shuffled = [random.permutation(n) for _ in range(_N_SPLITS)]
    return [np.sort(half) for own in shuffled for half in np.array_split(own, 2)]


def _grow(judge, stacked, first, n_rounds, costs):
    """Places of the members that one greedy selection takes, from the first; None: no time."""
    chosen, total, best, members = [0], stacked[0].copy(), first, [0]
    for _ in range(n_rounds - 1):
        judged = judge((total + stacked) / (len(chosen) + 1))
        if judged is None:
            return None
        taken = costs[np.unique(chosen)].sum(axis=0)
        fits = (costs + taken <= 1).all(axis=1)
        fits[chosen] = True
        pick = _first_of(np.where(fits, judged[0], -np.inf), judged[1])
        chosen.append(pick)
        total += stacked[pick]
        now = judged[0][pick], judged[1][pick]
        if _better(now, best):
            best, members = now, list(chosen)
    return members


def _better(now, best):
    """Whether a score is better, or equal and the target more probable, by more than rounding."""
    return now[0] > best[0] + _ROUNDING * abs(best[0]) or (
        now[0] >= best[0] and now[1] > best[1] + _ROUNDING * abs(best[1])
    )


def mix(predictions, weights):
    """Give the weighted mean of predictions.

    Parameters
    ----------
    predictions : list of ndarray of shape (n_rows, n_classes) or (n_rows,)
    weights : dict of int to int
        By index.

    Returns
    -------
    ndarray of shape (n_rows, n_classes) or (n_rows,)
    """
    counts = np.array(list(weights.values()), dtype=float)
    return np.tensordot(counts / counts.sum(), [predictions[i] for i in weights], 1)


def score_mixtures(mixtures, y, scorer, tests, classes=None, score_params=None, deadline=np.inf):
    """Score mixtures, each by its mean over folds.

    Parameters
    ----------
    mixtures : ndarray of shape (n_mixtures, n_rows, n_classes) or (n_mixtures, n_rows)
    y : ndarray of shape (n_rows,)
    scorer : callable
    tests : list of ndarray of int
    classes : ndarray of shape (n_classes,), optional
        None for regression.
    score_params : dict of str to ndarray of shape (n_rows,), optional
    deadline : float, optional
        ``time.monotonic()`` after which none is scored.

    Returns
    -------
    ndarray of shape (n_mixtures,) or None
        Minus infinity where there is no score; None where there was no time.
    """
    judged = _Judge(y, scorer, tests, classes, score_params, deadline)(mixtures)
    return None if judged is None else judged[0]


def _first_of(scores, propers):
    """Place of the best; of those that are equal but for rounding, of the most probable."""
    top = np.max(scores)
    equal = np.flatnonzero(scores >= top - _ROUNDING * abs(top))
    return int(equal[np.argmax(propers[equal])])


class _Judge:
    """Scores mixtures on the folds: by the metric, and by how probable they make the target."""

    def __init__(self, y, scorer, tests, classes, score_params, deadline):
        self.scorer, self.tests, self.classes = scorer, tests, classes
        self.y, self.params, self.deadline = y, score_params or {}, deadline
        values = np.asarray(y)
        self.codes = values if classes is None else np.searchsorted(classes, values)
        self.n_classes = 0 if classes is None else len(classes)
        self.fast = None if self.params else fast_score(scorer, self.n_classes)

    def __call__(self, mixtures):
        """Give the scores of `mixtures`, (m, n_rows[, n_classes]); None if time is over."""
        if self.fast is None:
            by_mixture = []
            for own in mixtures:
                if time.monotonic() > self.deadline:
                    return None
                by_mixture.append(self._slow(own))
            scores = np.array(by_mixture)
        else:
            if time.monotonic() > self.deadline:
                return None
            by_fold = [self.fast(self.codes[rows], mixtures[:, rows]) for rows in self.tests]
            scores = np.mean(by_fold, axis=0)
        rows = np.concatenate(self.tests)
        propers = proper_score(self.codes[rows], mixtures[:, rows], self.n_classes)
        return np.where(np.isfinite(scores), scores, -np.inf), propers

    def _slow(self, mixture):
        given = (
            _GivenRegressor(mixture)
            if self.classes is None
            else _GivenClassifier(mixture, self.classes)
        )
        return np.mean(
            [_score(self.scorer, given, self.y, rows, self.params) for rows in self.tests]
        )


def _score(scorer, given, y, rows, params):
    cut = {name: values[rows] for name, values in (params or {}).items()}
    return scorer(given, rows[:, None], safe_indexing(y, rows), **cut)
