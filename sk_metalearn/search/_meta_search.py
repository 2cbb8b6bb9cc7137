"""GridSearchCV's contract with a search that has seen other datasets."""

import copy
import os
import time
from contextlib import ExitStack
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from sklearn.utils import get_tags

from .._compat import (
    BaseSearchCV,
    Interval,
    StrOptions,
    _fit_context,
    begin_callbacks,
    check_method_params,
    check_refit_for_multimetric,
    indexable,
    routed_params,
    scorers_of,
    single_scorers,
    warn_or_raise_about_fit_failures,
)
from ..knowledge import KnowledgeBase
from ..strategies import Strategy
from ._refit import OneStandardError, best_index
from ._results import format_results
from ._setup import Setup

__all__ = ["MetaSearchCV"]


class MetaSearchCV(BaseSearchCV):
    """Search over parameters in the order that past datasets suggest.

    Takes the place of `GridSearchCV` and `RandomizedSearchCV`: the same contract, attributes and
    columns of ``cv_results_``. It measures the dataset, asks the knowledge base how the
    candidates did on similar ones, and tries those first that promise most; what it finds guides
    what it tries next. An estimator that no past dataset has seen is searched by Bayesian
    optimisation.

    Parameters
    ----------
    estimator : estimator object
        As in `GridSearchCV`.
    param_grid : dict, list of dicts or None, default=None
        Lists of values by parameter name, as in `GridSearchCV`; scipy distributions may stand
        beside lists. None: the space that the catalogue has for the estimator, or for the last
        step of a pipeline.
    param_distributions : dict, list of dicts or None, default=None
        The same under the name it has in `RandomizedSearchCV`. Only one of the two may be given.
    n_iter : int, "all" or None, default=None
        Number of candidates. None: the whole grid if it has at most 10 points, else a tenth of it
        but at least 10 and at most 2,000; 10 where values are drawn from distributions or the
        catalogue; no limit if there is a `time_budget`. "all": every point of a finite grid, and
        those of `enqueue` that lie outside of it.
    time_budget : float, default=None
        Seconds for all of `fit`, refit included; exceeded by at most 10 % and one second.
        Candidates and refit then run in worker processes that are ended when the time is over,
        and the result depends on the speed of the machine.
    strategy : str or Strategy, default="auto"
        How candidates are proposed, see `sk_metalearn.strategies`.
    knowledge : {"bundled", "user"}, KnowledgeBase, path-like or None, default="bundled"
        What is known of past datasets. None: nothing.
    scoring, n_jobs, refit, cv, verbose, pre_dispatch
        As in `GridSearchCV`. `refit` may also be ``"one_standard_error"`` or an instance of
        `OneStandardError`. Processes are the package's own, persistent and replaced when one
        dies; under `joblib.parallel_config` with the backends "threading", "dask" or "ray"
        candidates run there. `pre_dispatch` is accepted and has no effect.
    random_state : int, RandomState instance or None, default=None
        Draws candidates and breaks ties in the strategy. With an int the search is repeatable and
        does not depend on `n_jobs` (unless there is a `time_budget`).
    error_score, return_train_score
        As in `GridSearchCV`.
    patience : int, default=None
        Stop after so many candidates in a row that are not better than the best by more than
        `tol`.
    tol : float, default=0.0
        Improvement that counts for `patience`, in units of the score.
    racing : bool, default=False
        Stop a candidate after its first folds when it can hardly become the best any more. Its
        mean score is then NaN.
    candidate_timeout : float, default=None
        Seconds one fit on one fold may take, scoring included. Candidates then run in worker
        processes, and one that hangs, even in compiled code, is ended.
    candidate_memory : int, default=None
        Bytes of resident memory that a worker process may reach.
    max_predict_seconds : float, default=None
        Candidates that need longer for predicting 1,000 rows are not chosen.
    max_model_bytes : int, default=None
        Candidates whose pickled model is larger are not chosen.
    checkpoint : path-like, default=None
        File that keeps every result as soon as it is there. When `fit` is called again with the
        same data and settings, whatever ended it before, it goes on from there.
    enqueue : list of dict, default=None
        Parameter settings to evaluate before all others.
    warm_start : bool, default=False
        Go on from the candidates of the previous `fit` on the same data, for instance with a
        larger `n_iter`, instead of starting again.
    remember : bool or KnowledgeBase, default=False
        Record the finished search, and let this and later searches start from what was recorded,
        for any estimator. True: in the user's own store. Only meta-features and scores are
        stored.
    lookahead : int, default=2
        A candidate is proposed when the results of all but the last ``lookahead - 1`` before it
        are known. More keeps more workers busy, less lets each result count sooner; the result
        depends on it, but not on `n_jobs`.
    deterministic : bool, default=True
        False: propose as soon as a worker is free, from the results there are.

    Attributes
    ----------
    cv_results_ : dict of array
        The columns of `GridSearchCV`, then ``reason`` (why the candidate was tried),
        ``predicted_score``, ``predicted_seconds``, ``estimate`` (the score that guided the
        search: the mean over the folds; of a candidate that was raced or left unfinished, what
        its folds let expect; NaN for all others), ``status`` ("ok", "crashed", "timeout", "memory",
        "died", "invalid", "raced", "over_limit"; "unfinished" where the time was over before any
        candidate had all its folds), ``failure`` and ``elapsed`` (seconds from begin to end).
    best_estimator_, best_score_, best_params_, best_index_, scorer_, n_splits_, refit_time_, \
multimetric_, classes_, n_features_in_, feature_names_in_
        As in `GridSearchCV`.
    stop_reason_ : {"n_iter", "exhausted", "time_budget", "patience", "callback", "interrupted"}
        Why the search ended.
    refit_on_ : str
        ``"all rows"``; under a `time_budget` that was too short for the refit, what
        `best_estimator_` was fitted on instead.
    knowledge_report_ : dict
        What past datasets contributed; prints as text.

    References
    ----------
    M. Feurer, J. Springenberg, F. Hutter. Initializing Bayesian hyperparameter optimization via
    meta-learning. AAAI 2015.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sk_metalearn import MetaSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> grid = {"C": [0.1, 1, 10], "kernel": ["linear", "rbf"]}
    >>> search = MetaSearchCV(SVC(), grid, n_iter=4, knowledge=None, random_state=0).fit(X, y)
    >>> len(search.cv_results_["params"])
    4
    >>> search.stop_reason_
    'n_iter'
    """

    _parameter_constraints = {
        **BaseSearchCV._parameter_constraints,
        "param_grid": [dict, list, tuple, None],
        "param_distributions": [dict, list, tuple, None],
        "n_iter": [Interval(Integral, 1, None, closed="left"), StrOptions({"all"}), None],
        "time_budget": [Interval(Real, 0, None, closed="neither"), None],
        "strategy": [str, Strategy],
        "knowledge": [str, os.PathLike, KnowledgeBase, None],
        "random_state": ["random_state"],
        "patience": [Interval(Integral, 1, None, closed="left"), None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "racing": ["boolean"],
        "candidate_timeout": [Interval(Real, 0, None, closed="neither"), None],
        "candidate_memory": [Interval(Real, 0, None, closed="neither"), None],
        "max_predict_seconds": [Interval(Real, 0, None, closed="neither"), None],
        "max_model_bytes": [Interval(Real, 0, None, closed="neither"), None],
        "checkpoint": [str, os.PathLike, None],
        "enqueue": [list, tuple, None],
        "warm_start": ["boolean"],
        "remember": ["boolean", KnowledgeBase],
        "lookahead": [Interval(Integral, 1, None, closed="left")],
        "deterministic": ["boolean"],
    }

    def __init__(
        self,
        estimator,
        param_grid=None,
        *,
        param_distributions=None,
        n_iter=None,
        time_budget=None,
        strategy="auto",
        knowledge="bundled",
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        random_state=None,
        error_score=np.nan,
        return_train_score=False,
        patience=None,
        tol=0.0,
        racing=False,
        candidate_timeout=None,
        candidate_memory=None,
        max_predict_seconds=None,
        max_model_bytes=None,
        checkpoint=None,
        enqueue=None,
        warm_start=False,
        remember=False,
        lookahead=2,
        deterministic=True,
    ):
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.param_grid = param_grid
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.time_budget = time_budget
        self.strategy = strategy
        self.knowledge = knowledge
        self.random_state = random_state
        self.patience = patience
        self.tol = tol
        self.racing = racing
        self.candidate_timeout = candidate_timeout
        self.candidate_memory = candidate_memory
        self.max_predict_seconds = max_predict_seconds
        self.max_model_bytes = max_model_bytes
        self.checkpoint = checkpoint
        self.enqueue = enqueue
        self.warm_start = warm_start
        self.remember = remember
        self.lookahead = lookahead
        self.deterministic = deterministic

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags = copy.deepcopy(get_tags(self.estimator).target_tags)
        tags.array_api_support = False
        return tags

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, **params):
        """Search, and fit the best candidate on all data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Passed on as it is.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        **params : dict of str to object
            For the estimator's `fit`, the scorer and the splitter, as in `GridSearchCV`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If all candidates failed, or nothing was finished within the `time_budget`.
        CheckpointError
            If the `checkpoint` belongs to another search.
        """
        began = time.monotonic()
        refit = OneStandardError() if self.refit == "one_standard_error" else self.refit
        scorer, metric = scorers_of(self)
        if y is None and get_tags(self.estimator).target_tags.required:
            raise ValueError(
                f"{type(self.estimator).__name__} requires y to be passed, but the target y is "
                "None."
            )
        X, y = indexable(X, y)
        params = check_method_params(X, params=params)
        routed = routed_params(self, params)
        weight = params.get("sample_weight")
        told = {"metadata": {"sample_weight": weight} if weight is not None else None}
        root = begin_callbacks(self, max_subtasks=1 + (self.refit is not False))
        root.call_on_fit_task_begin(estimator=self, X=X, y=y, **told)

        setup = Setup(self, X, y, scorer, metric, routed)
        with ExitStack() as stack:
            stack.callback(setup.journal.close)
            session = stack.enter_context(setup.session(began, root))
            trials = session.run()
            self.n_splits_ = len(setup.splits)
            self.stop_reason_ = session.stop_reason
            self.knowledge_report_ = setup.report
            self._store_results(trials, setup, session, scorer, metric)
            metric = self._check_metric(trials, scorer, metric)
            best = self._choose(refit, metric, trials, setup)
            if self.refit:
                self._refit(session, setup, best, root, told)
            if self.warm_start:
                self._journal = setup.journal.in_memory()
            setup.remember(trials)
        root.call_on_fit_task_end(estimator=self, X=X, y=y, **told)
        return self

    def _store_results(self, trials, setup, session, scorer, metric):
        """Set `cv_results_`, or say why there is none."""
        if not trials:
            raise ValueError(
                f"No candidate was finished before the search ended ({session.stop_reason} after "
                f"{time.monotonic() - session.settings.began:.1f} s). Give a larger time_budget, "
                "fewer folds, less data or quicker candidates."
            )
        params = [setup.candidates.to_params(trial.proposal.point) for trial in trials]
        self.cv_results_ = format_results(
            trials, params, len(setup.splits), self.return_train_score
        )
        outcomes = [
            {"fit_error": None if r.status in ("ok", "invalid") else r.failure}
            for trial in trials
            for r in trial.folds.values()
        ]
        warn_or_raise_about_fit_failures(outcomes, self.error_score)

    def _check_metric(self, trials, scorer, metric):
        """Learn from the results whether there are several metrics."""
        scores = [r.scores for t in trials for r in t.folds.values() if r.status == "ok"]
        scores = scores or [r.scores for t in trials for r in t.folds.values()]
        self.multimetric_ = isinstance(scores[0], dict)
        self.scorer_ = single_scorers(scorer)
        if callable(self.scoring) and self.multimetric_:
            check_refit_for_multimetric(self, scores[0])
            return self.refit
        return metric

    def _choose(self, refit, metric, trials, setup):
        """Set the attributes of the best candidate; give its trial."""
        if not (self.refit or not self.multimetric_):
            return None
        self.best_index_ = best_index(refit, metric, self.cv_results_)
        if not callable(refit) or isinstance(refit, OneStandardError):
            name = refit.metric if isinstance(refit, OneStandardError) else metric
            self.best_score_ = self.cv_results_[f"mean_test_{name}"][self.best_index_]
        self.best_params_ = self.cv_results_["params"][self.best_index_]
        best = trials[self.best_index_]
        setup.report.add_outcome(trials, best)
        return best

    def _refit(self, session, setup, best, root, told):
        X, y = session.payload.X, session.payload.y
        estimator = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        context = root.subcontext(task_name="refit-with-best-params")
        with context.propagate_callback_context(estimator):
            context.call_on_fit_task_begin(estimator=self, X=X, y=y, **told)
            fitted, self.refit_time_, self.refit_on_ = session.refit(estimator, best)
        if fitted is None:
            raise ValueError(
                f"The refit of {best.proposal.point} did not end well: {self.refit_on_}. Give a "
                "larger time_budget, or refit=False."
            )
        self.best_estimator_ = fitted
        if hasattr(fitted, "feature_names_in_"):
            self.feature_names_in_ = fitted.feature_names_in_
        context.call_on_fit_task_end(estimator=self, X=X, y=y, **told)
