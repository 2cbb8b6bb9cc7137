"""GridSearchCV's contract with a search that has seen other datasets."""

import copy
import time
from contextlib import ExitStack
from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from .._compat import (
    BaseSearchCV,
    Interval,
    StrOptions,
    _fit_context,
    check_method_params,
    check_refit_for_multimetric,
    indexable,
    routed_params,
    scorers_of,
    single_scorers,
    warn_or_raise_about_fit_failures,
)
from ..knowledge import PlaceParameter
from ..tables import check_metric_name
from ._best_index import OneStandardError, best_index
from ._budget import Budget
from ._callbacks import fit_task, refit_task
from ._final_fit import fit_on_all_rows
from ._grid_choices import choose_from_grid
from ._leaderboard import leaderboard_frame, score_dummy
from ._memory_needed import fit_in_memory
from ._options import COMMON_CONSTRAINTS, SearchOptions
from ._past import ask_the_past, check_knowledge, remember
from ._problem import pose_problem
from ._results import format_results
from ._run_search import run_search

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
    estimator : estimator
        What is searched: one with ``fit`` and, without `scoring`, ``score``. It is cloned.
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
        What is known of past datasets: the bundled base, the user's own alone, a file or the URL of
        a database. What `remember` recorded stands beside it. None: nothing else. Whatever goes
        wrong with it is reported and costs the search nothing.
    scoring : str, callable, list, tuple or dict, default=None
        What to maximise: the name of a metric, a scorer, or several. None: the estimator's own
        ``score``.
    n_jobs : int, default=None
        Candidates and folds that are evaluated at the same time, in worker processes; None: what
        `joblib.parallel_config` says, else one, in this process. Under its backends "threading",
        "dask" or "ray" candidates run there.
    refit : bool, str or callable, default=True
        Whether the best candidate is fitted on all data; the name of the metric that decides,
        where there are several; a callable that chooses from ``cv_results_``;
        ``"one_standard_error"`` or a `OneStandardError` for the cheapest of the good ones.
    cv : int, splitter, iterable or None, default=None
        Folds, as in `GridSearchCV`: None for 5 folds, stratified for classes and not shuffled.
    verbose : int or "bar", default=0
        Above 0 a line is printed per candidate, above 1 per fold; ``"bar"``: one line that moves.
    pre_dispatch : int or str, default="2*n_jobs"
        Accepted for `GridSearchCV`'s sake, without effect.
    random_state : int, RandomState instance or None, default=None
        Draws candidates and breaks ties in the strategy. With an int the search is repeatable and
        does not depend on `n_jobs` (unless there is a `time_budget`).
    error_score : "raise" or float, default=nan
        Score of a fold whose fit failed; ``"raise"`` ends the search with its error.
    return_train_score : bool, default=False
        Whether ``cv_results_`` has the scores on the training parts, too.
    patience : int, default=None
        Stop after so many candidates in a row that are no better than the best.
    racing : bool, default=False
        Stop a candidate after its first folds when it can hardly become the best any more. Its
        mean score is then NaN.
    limits : CandidateLimits, default=None
        What one candidate may use: seconds of a fit on a fold, memory, seconds to predict, bytes
        of the model. None: no limits.
    checkpoint : path-like, default=None
        File that keeps every result as soon as it is there. When `fit` is called again with the
        same data and settings, whatever ended it before, it goes on from there.
    enqueue : list of dict, default=None
        Parameter settings to evaluate before all others.
    remember : bool, str or KnowledgeBase, default=False
        Record the finished search, and let this and later searches start from what was recorded,
        for any estimator. True: in the user's own store; a text: there, under this name of the
        dataset. Only meta-features and scores are stored.
    lookahead : int or None, default=2
        A candidate is proposed when the results of all but the last ``lookahead - 1`` before it
        are known. More keeps more workers busy, less lets each result count sooner; the result
        depends on it, but not on `n_jobs`. None: as soon as a worker is free, from the results
        there are; the result then depends on the speed of the machine.

    Attributes
    ----------
    cv_results_ : dict of array
        The columns of `GridSearchCV`, then ``reason`` (why the candidate was tried),
        ``predicted_score``, ``predicted_seconds``, ``estimate`` (the score that guided the
        search: the mean over the folds; of a candidate that was raced or left unfinished, what
        its folds let expect; NaN for all others), ``status`` ("ok", "crashed", "timeout", "memory",
        "died", "invalid", "raced", "over_limit"; "unfinished" where the end of the search came
        before that of the candidate), ``failure``, ``begun`` (seconds since the search began) and
        ``elapsed`` (seconds from begin to end).
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
        **COMMON_CONSTRAINTS,
        "param_grid": [dict, list, tuple, None],
        "param_distributions": [dict, list, tuple, None],
        "n_iter": [Interval(Integral, 1, None, closed="left"), StrOptions({"all"}), None],
        "enqueue": [list, tuple, None],
        "scoring": [str, callable, list, tuple, set, dict, None],
        "verbose": ["verbose", StrOptions({"bar"})],
    }
    knowledge, remember = PlaceParameter(), PlaceParameter()

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
        racing=False,
        limits=None,
        checkpoint=None,
        enqueue=None,
        remember=False,
        lookahead=2,
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
        self.racing = racing
        self.limits = limits
        self.checkpoint = checkpoint
        self.enqueue = enqueue
        self.remember = remember
        self.lookahead = lookahead

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
            Target; None for estimators without one.
        **params : dict of str to object
            For the estimator's `fit`, the scorer and the splitter, as in `GridSearchCV`.

        Returns
        -------
        self
            Fitted.

        Raises
        ------
        ValueError
            If all candidates failed, or nothing was finished within the `time_budget`.
        CheckpointError
            If the `checkpoint` belongs to another search.
        KnowledgeError
            If `knowledge` names a file that does not exist.
        """
        budget = Budget(self.time_budget, time.monotonic())
        options = SearchOptions.of(self)
        check_knowledge(options.knowledge)
        several = isinstance(self.scoring, list | tuple | set)
        for name in self.scoring if several else [self.scoring]:
            check_metric_name(name)
        scorer, metric = scorers_of(self)
        X, y, params = self._check_data(X, y, params)
        routed, given = routed_params(self, params), (self.param_grid, self.param_distributions)
        with ExitStack() as stack, fit_task(self, X, y, params, bool(self.refit)) as root:
            options, _ = fit_in_memory(X, None, options)
            guiding = _guiding_metric(options, metric)
            problem = pose_problem(
                X, y, routed, scorer, guiding, options, stack, estimator=self.estimator, space=given
            )
            choices = choose_from_grid(self.estimator, *given, problem, options)
            past = ask_the_past(problem, choices, options)
            run = run_search(self, problem, choices, past, options, budget, stack, root=root)
            self._fit_best(run, problem, choices, past, root, scorer, metric)
            remember(past, problem, choices, run.trials)
        return self

    def leaderboard(self):
        """List what was tried, and a dummy, best first.

        Returns
        -------
        pandas.DataFrame
            A row per candidate, by ``rank``: ``score`` by the metric that chose the best (of a
            candidate that was stopped by the race, what was expected of it), ``spread`` (standard
            deviation over the folds), ``seconds`` of a fit, ``predict_seconds`` to predict and
            score the rows of a fold, ``reason``, ``status``, ``row`` in ``cv_results_`` (-1 for a
            dummy that does not look at X) and ``settings`` that differ from the estimator's own
            (``"as given"`` where none does).

        Raises
        ------
        MissingDependencyError
            If pandas is not installed.
        """
        check_is_fitted(self, "cv_results_")
        return leaderboard_frame(self)

    def _check_data(self, X, y, params):
        """Data and parameters of `fit`, as scikit-learn's searches take them."""
        if y is None and get_tags(self.estimator).target_tags.required:
            raise ValueError(
                f"{type(self.estimator).__name__} requires y to be passed, but the target y is "
                "None."
            )
        X, y = indexable(X, y)
        return X, y, check_method_params(X, params=params)

    def _fit_best(self, run, problem, choices, past, root, scorer, metric):
        """Set the results of the search, choose the best candidate, and fit it."""
        self.n_splits_, self.stop_reason_ = len(problem.splits), run.stop_reason
        self.knowledge_report_ = past.report
        past.report["dummy"] = score_dummy(problem)
        self._store_results(run, problem, choices)
        metric = self._check_metric(run.trials, scorer, metric)
        if not (self.refit or not self.multimetric_):
            return
        refit = OneStandardError() if self.refit == "one_standard_error" else self.refit
        best = run.trials[self._choose(refit, metric)]
        past.report.add_outcome(run.trials, best, past.expected)
        if self.refit:
            self._refit(run, problem, best, root)

    def _store_results(self, run, problem, choices):
        """Set `cv_results_`, or say why there is none."""
        if not any(trial.folds for trial in run.trials):
            seconds = run.budget.clock() - run.budget.began
            raise ValueError(
                f"No candidate was finished before the search ended ({run.stop_reason} after "
                f"{seconds:.1f} s). Give a larger time_budget, fewer folds, less data or quicker "
                "candidates."
            )
        params = [choices.to_params(trial.proposal.point) for trial in run.trials]
        self.cv_results_ = format_results(
            run.trials, params, len(problem.splits), self.return_train_score
        )
        outcomes = [
            {"fit_error": None if r.status in ("ok", "invalid") else r.failure}
            for trial in run.trials
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

    def _choose(self, refit, metric):
        """Set the attributes of the best candidate; give its row."""
        self.best_index_ = best_index(refit, metric, self.cv_results_)
        if not callable(refit) or isinstance(refit, OneStandardError):
            name = refit.metric if isinstance(refit, OneStandardError) else metric
            self.best_score_ = self.cv_results_[f"mean_test_{name}"][self.best_index_]
        self.best_params_ = self.cv_results_["params"][self.best_index_]
        return self.best_index_

    def _refit(self, run, problem, best, root):
        estimator = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        with refit_task(self, problem, root, estimator):
            final = fit_on_all_rows(run, problem, estimator, fallback=best)
        self.refit_time_, self.refit_on_ = final.seconds, final.fitted_on
        if final.estimator is None:
            raise ValueError(
                f"The refit of {best.proposal.point} did not end well: {self.refit_on_}. Give a "
                "larger time_budget, or refit=False."
            )
        self.best_estimator_ = final.estimator
        if hasattr(final.estimator, "feature_names_in_"):
            self.feature_names_in_ = final.estimator.feature_names_in_


def _guiding_metric(options, metric):
    """Name of the metric to refit on; only `refit` knows it where a callable gives several."""
    if isinstance(options.refit, OneStandardError):
        return options.refit.metric
    if callable(options.scoring) and isinstance(options.refit, str):
        return options.refit
    return metric if isinstance(metric, str) else "score"
