"""What AutoClassifier and AutoRegressor share: a search over whole pipelines."""

import copy
import time
from contextlib import ExitStack
from dataclasses import replace
from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import check_scoring
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted, validate_data

from .._compat import (
    Interval,
    StrOptions,
    _fit_context,
    check_method_params,
    needs_probabilities,
    num_samples,
    routing_is_on,
    scores_predictions,
    visual_block,
)
from ..evaluation import MarginScorer
from ..knowledge import PlaceParameter
from ..tables import (
    check_metric_name,
    describe_layout,
    output_values,
    own_copy,
    with_index,
)
from ._auto_model import fit_auto_model
from ._budget import Budget
from ._callbacks import fit_task
from ._catalogue_choices import choose_pipelines
from ._check_data import check_data, check_y
from ._folds import group_folds
from ._leaderboard import leaderboard_frame, score_dummy
from ._memory_needed import fit_in_memory
from ._options import COMMON_CONSTRAINTS, SearchOptions
from ._own_steps import check_rows_before, with_own_steps
from ._past import ask_the_past, check_knowledge, remember
from ._problem import pose_problem
from ._quick_model import fit_quick_model
from ._results import format_results
from ._routing import RoutedScorer, route, without_routing
from ._run_search import run_search
from ._several import of_one_pipeline
from ._several_metrics import FurtherMetric, MetricsScorer, has_own_metric, split_metrics
from ._stopped_boosting import found_params
from ._threshold import ThresholdScorer, predict_from
from ._voting import fit_voting

__all__ = ["AutoSearch"]


def _with_groups(options, groups, stratifies):
    """Deal whole groups to the folds where the user gives groups and no splitter."""
    if groups is None or not (options.cv is None or isinstance(options.cv, Integral)):
        return options
    return replace(options, cv=group_folds(options.cv, groups, stratifies))


def _judge_of(target, scorer, threshold=None):
    """The scorer of models as they are: of codes, margins, and with the user's routing."""
    judge = target.judge(scorer)
    if threshold is not None:
        return MarginScorer(ThresholdScorer(RoutedScorer.of(judge)))
    if needs_probabilities(scorer) and target.n_outputs == 1:
        judge = MarginScorer(judge)
    return RoutedScorer.of(judge)


class AutoSearch:
    """Search over pipelines; a subclass says of which kind, and what its target is."""

    _parameter_constraints = {
        **COMMON_CONSTRAINTS,
        "n_iter": [Interval(Integral, 1, None, closed="left"), None],
        "scoring": [str, callable, list, tuple, dict, None],
        "cv": ["cv_object"],
        "families": [list, tuple, None],
        # Said in words by what reads it.
        "before": "no_validation",
        "columns": [dict, None],
        "ensemble_size": [Interval(Integral, 0, None, closed="left")],
        "final": [StrOptions({"auto", "bag", "latest", "refit"})],
        "max_rows": [Interval(Integral, 50, None, closed="left")],
        "n_jobs": [Integral, None],
        "verbose": ["verbose", StrOptions({"bar"})],
    }
    knowledge, remember = PlaceParameter(), PlaceParameter()
    # What `fit` takes beside X and y; further parameters are the splitter's and the scorer's.
    __metadata_request__fit = {"sample_weight": None}

    def __init__(
        self,
        *,
        n_iter=None,
        time_budget=None,
        strategy="auto",
        knowledge="bundled",
        scoring=None,
        cv=None,
        families=None,
        before=None,
        columns=None,
        ensemble_size=12,
        final="auto",
        racing=False,
        max_rows=10_000,
        n_jobs=None,
        patience=None,
        limits=None,
        checkpoint=None,
        remember=False,
        lookahead=2,
        verbose=0,
        random_state=None,
    ):
        self.n_iter = n_iter
        self.time_budget = time_budget
        self.strategy = strategy
        self.knowledge = knowledge
        self.scoring = scoring
        self.cv = cv
        self.families = families
        self.before = before
        self.columns = columns
        self.ensemble_size = ensemble_size
        self.final = final
        self.racing = racing
        self.max_rows = max_rows
        self.n_jobs = n_jobs
        self.patience = patience
        self.limits = limits
        self.checkpoint = checkpoint
        self.remember = remember
        self.lookahead = lookahead
        self.verbose = verbose
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags

    def get_metadata_routing(self):
        """Say who takes what `fit` and `score` are given beside X and y.

        Returns
        -------
        MetadataRouter
        """
        to_scorer = MethodMapping().add(caller="fit", callee="score")
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                scorer=self._scorer(), method_mapping=to_scorer.add(caller="score", callee="score")
            )
            .add(splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))
        )

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, **params):
        """Search over pipelines, and fit the best one, or an ensemble of several, on all data.

        Parameters
        ----------
        X : array-like, sparse matrix or dataframe of shape (n_samples, n_features)
            Columns of any type; missing values are allowed.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels or numbers. Several columns of numbers; or, for `AutoClassifier`, a column of 0
            and 1 for each label that a row may have, also as a sparse matrix.
        **params : dict of str to array-like of shape (n_samples,)
            ``sample_weight`` for the fits and, where the metric takes it, the scores; families
            that take no weights are left out. ``groups`` for the splitter given as `cv`; where that
            is None or a number, no group is on both sides of a fold. With
            ``enable_metadata_routing`` whatever splitter and scorer request.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data cannot be used; the message says why.
        MemoryError
            If there is not enough memory for even a small part of the rows; the message says how
            much is needed. Where there is enough for fewer workers, or fewer rows, a
            `FallbackWarning` says so.
        CheckpointError
            If the `checkpoint` belongs to another search.
        KnowledgeError
            If `knowledge` names a file that does not exist.
        """
        budget = Budget(self.time_budget, time.monotonic())
        scoring, name, further = split_metrics(self.scoring)
        options = replace(SearchOptions.of(self), scoring=scoring, further=further)
        check_knowledge(options.knowledge)
        routed = route(self, X, params, self._scorer())
        X, y, layout = check_data(X, y, self, self._kind)
        validate_data(self, X, skip_check_array=True)
        options, scorer, target = self._learn_outputs(y, options, params)
        y, judge = target.encode(y), _judge_of(target, scorer, options.threshold)
        told = self._told_by(judge, name, further, target)
        # The pipelines are ours; what they are given reaches them by name.
        with ExitStack() as stack, fit_task(self, X, y, params, False) as root, without_routing():
            options, most_rows = fit_in_memory(X, layout, options)
            own = {"kind": self._kind, "layout": layout, "most_rows": most_rows, "told": told}
            own["classes"] = getattr(target, "classes", None) if target.n_outputs == 1 else None
            problem = pose_problem(X, y, routed, judge, "score", options, stack, **own)
            problem = with_own_steps(problem, options.before)
            choices = choose_pipelines(problem, options)
            quick = fit_quick_model(problem, choices) if options.timed else None
            past = ask_the_past(problem, choices, options)
            mixable = scores_predictions(scorer)
            mixed = options.ensemble_size > 1 or options.threshold is not None
            keep = mixable and target.n_outputs == 1 and (mixed or options.checkpoint is not None)
            options = options if mixable else replace(options, ensemble_size=0)
            run = run_search(
                self,
                problem,
                choices,
                past,
                options,
                budget,
                stack,
                root=root,
                keep_predictions=keep,
            )
            self._store_results(run, problem, choices, past, scorer)
            model = fit_auto_model(run, problem, options, self.cv_results_, quick)
            self._store_model(model, run, problem, past, target)
            tuned = options.threshold is not None
            remember(past, problem, choices, run.trials, at_best_threshold=tuned)
        return self

    def refit(self, X, y, *, sample_weight=None):
        """Fit what was found on new data, without a search.

        Parameters
        ----------
        X : array-like, sparse matrix or dataframe of shape (n_samples, n_features)
            Rows with the columns of fit, in any storage; see `predict`.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their labels or numbers, of as many outputs as in fit; classes may be others.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        AutoClassifier or AutoRegressor
            Another one, whose members and weights are those that were found, each member fitted on
            all these rows. What it tells of the search is as before; the estimator itself is left
            as it is.

        Raises
        ------
        ValueError
            If the data cannot be used, or nothing was found that could be fitted again; the message
            says why.
        """
        X = self._ready(X)
        if not self.ensemble_:
            raise ValueError(
                f"The search found nothing that could be fitted again: {self.refit_on_}."
            )
        y = check_y(y, X, self, self._kind)
        n_outputs = y.shape[1] if y.ndim == 2 else 1
        if n_outputs != self._target.n_outputs:
            raise ValueError(
                f"y has {n_outputs} columns; the model that was found is for "
                f"{self._target.n_outputs}. Give as many, or call fit."
            )
        params = check_method_params(X, params={"sample_weight": sample_weight})
        weight = params["sample_weight"]
        again = copy.copy(self)
        target = again._learn_target(y, self.scorer_)
        begun = time.perf_counter()
        with without_routing():
            model = fit_voting(
                clone(self._found),
                own_copy(X),
                target.encode(y),
                {} if weight is None else {"model__sample_weight": weight},
            )
        again.best_estimator_ = predict_from(target.speak(model), self._threshold)
        again._found, again._target = model, target
        again.refit_time_, again.refit_on_ = time.perf_counter() - begun, "all rows"
        return again

    def _learn_outputs(self, y, options, params):
        """Read the target, and what its number of outputs means for options and metric."""
        several = np.ndim(y) == 2
        options = of_one_pipeline(self, options, y.shape[1] if several else 1)
        stratifies = self._kind == "classification" and not several
        options = _with_groups(options, params.get("groups"), stratifies)
        scorer = self._scorer(several)
        return options, scorer, self._learn_target(y, scorer)

    def _scorer(self, several=False):
        """The scorer that decides."""
        deciding, _, further = split_metrics(self.scoring)
        for scoring in (deciding, *further.values()):
            check_metric_name(scoring)
        return self._scorer_of(deciding, several)

    def _scorer_of(self, scoring, several=False):
        dummy = DummyClassifier() if self._kind == "classification" else DummyRegressor()
        usual = self._several_scoring if several else self._default_scoring
        scorer = check_scoring(dummy, scoring or usual)
        if routing_is_on() and not callable(scoring):
            # Nobody else can say whether a metric known by name takes weights.
            scorer.set_score_request(sample_weight=True)
        return scorer

    def _told_by(self, judge, name, further, target):
        """The scorer of the folds: it tells of further metrics beside the deciding one."""
        if not name:
            return judge
        others = {}
        for other, scoring in further.items():
            scorer = self._scorer_of(scoring)
            others[other] = FurtherMetric(scorer, _judge_of(target, scorer))
        return MetricsScorer(judge, name, others)

    def _store_results(self, run, problem, choices, past, scorer):
        self.scorer_ = scorer
        self.stop_reason_, self.n_splits_ = run.stop_reason, len(problem.splits)
        points = [found_params(trial) for trial in run.trials]
        self.configurations_ = [choices.identity(point) for point in points]
        self.cv_results_ = format_results(run.trials, points, self.n_splits_, False)
        self.knowledge_report_ = past.report
        past.report["dummy"] = score_dummy(problem)

    def _store_model(self, model, run, problem, past, target):
        self._layout, self._steps = problem.layout, problem.steps
        self._target, self._found = target, model.estimator
        self._errors = model.errors
        self._threshold, self._further = model.threshold, model.further
        self.best_estimator_ = predict_from(target.speak(model.estimator), model.threshold)
        self.refit_time_ = model.seconds
        self.refit_on_, self.ensemble_ = model.fitted_on, model.weights
        if self.final == "latest" and model.fitted_on == "all rows":
            self.refit_on_ = f"the latest {num_samples(problem.whole[1])} rows"
        elif problem.n_given > num_samples(problem.whole[1]):
            some = f"{num_samples(problem.whole[1])} of {problem.n_given} rows"
            self.refit_on_ = self.refit_on_.replace("all rows", some)
        self.best_index_, self.best_score_ = model.index, model.score
        self.best_params_ = model.point
        dummy = past.report["dummy"]
        self.score_estimate_ = model.estimate and replace(model.estimate, dummy=dummy)
        if model.index >= 0:
            mixed = (model.score, len(model.weights)) if len(model.weights) > 1 else None
            past.report.add_outcome(run.trials, run.trials[model.index], past.expected, mixed)

    def _ready(self, X):
        """Check rows to predict against those of fit."""
        check_is_fitted(self, "best_estimator_")
        return check_rows_before(X, self._layout, self._steps, self)

    def predict(self, X):
        """Predict with the final model.

        Parameters
        ----------
        X : array-like, sparse matrix, dataframe, pyarrow.Table or record
            Of shape (n_samples, n_features): rows with the columns of fit, in any storage. Where
            these had names, columns are found by their names, in any order and among others; an
            array has them in the order of fit. A dict, or a list of dicts, holds records.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Labels or numbers; columns in the order of the y of fit.

        Raises
        ------
        ValueError
            If a column of fit is missing, a record's name is misspelt, or a value cannot be read.

        Warns
        -----
        FallbackWarning
            If there are columns that fit has not seen; they are named, and not looked at.
        """
        X = self._ready(X)
        return self._target.plain(self.best_estimator_.predict(X))

    def score(self, X, y, **params):
        """Score the final model by what was maximised.

        Parameters
        ----------
        X : array-like, sparse matrix or dataframe of shape (n_samples, n_features)
            Rows with the columns of fit.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their labels or numbers; columns in the order of the y of fit.
        **params : dict of str to array-like of shape (n_samples,)
            For the scorer, such as ``sample_weight``.

        Returns
        -------
        float
            Higher is better, as by `scoring`.
        """
        X = self._ready(X)
        if routing_is_on():
            params = process_routing(self, "score", **params).scorer.score
        values = output_values(y)
        y = with_index(values, y) if has_own_metric(self.scoring) else values
        judge = self._target.judge_final(self.scorer_)
        return judge(self.best_estimator_, X, y, **params)

    def describe_columns(self):
        """Say what the columns of `fit` were taken for, and why.

        Returns
        -------
        pandas.DataFrame
            Columns ``column``, ``role``, ``why``, ``levels`` (different values of a category or
            text) and ``gaps`` (missing values). The parameter `columns` overrules it.

        Raises
        ------
        MissingDependencyError
            If pandas is not installed.
        """
        check_is_fitted(self, "best_estimator_")
        return describe_layout(self._layout)

    def leaderboard(self):
        """List what was tried, the ensemble and a dummy, best first.

        Returns
        -------
        pandas.DataFrame
            A row per candidate, by ``rank``: ``score`` (of one that was stopped by the race, what
            was expected of it), a column for each further metric, ``weight`` in the ensemble,
            ``spread`` (standard deviation over the folds), ``seconds`` of a fit,
            ``predict_seconds`` to predict and score the rows of a fold, ``family``, ``reason``,
            ``status``, ``row`` in ``cv_results_`` (-1 for the ensemble and for a dummy that does
            not look at X) and ``settings`` that differ from the defaults (a model that was tried
            with none is marked ``(defaults)``).

        Raises
        ------
        MissingDependencyError
            If pandas is not installed.
        """
        check_is_fitted(self, "cv_results_")
        return leaderboard_frame(self)

    def _sk_visual_block_(self):
        # Before fit this raises, and the estimator is shown by itself.
        check_is_fitted(self, "best_estimator_")
        return visual_block("best_estimator_", self.best_estimator_)
