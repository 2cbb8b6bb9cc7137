"""What AutoClassifier and AutoRegressor share: a search over whole pipelines."""

import copy
import os
import time
from contextlib import ExitStack
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.model_selection import KFold, StratifiedKFold, check_cv
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from .._compat import (
    Interval,
    StrOptions,
    _fit_context,
    begin_callbacks,
    safe_indexing,
    scores_predictions,
)
from ..evaluation import Payload, open_journal
from ..knowledge import KnowledgeBase
from ..spaces import Schema, build_estimator, from_point
from ..strategies import Context, Strategy, get_strategy
from ._ending import Ending
from ._fingerprint import fingerprint_of
from ._memory import memory_of, metric_name, stack_past
from ._pool_candidates import MakePipeline, pool_candidates
from ._report import SearchReport
from ._results import format_results
from ._session import Session, Settings
from ._setup import guide_by, materialise
from ._tables import check_metric, check_rows, check_table, check_target, choose_rows, cut_folds
from ._task import measure, open_knowledge, warn_if_not_iid

__all__ = ["BaseAuto"]


class BaseAuto(BaseEstimator):
    """Search over pipelines; a subclass says of which kind, and what its target is."""

    _parameter_constraints = {
        "n_iter": [Interval(Integral, 1, None, closed="left"), None],
        "time_budget": [Interval(Real, 0, None, closed="neither"), None],
        "strategy": [str, Strategy],
        "knowledge": [str, os.PathLike, KnowledgeBase, None],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "cv": ["cv_object"],
        "families": [list, tuple, None],
        "ensemble_size": [Interval(Integral, 0, None, closed="left")],
        "racing": ["boolean"],
        "max_rows": [Interval(Integral, 50, None, closed="left")],
        "n_jobs": [Integral, None],
        "patience": [Interval(Integral, 1, None, closed="left"), None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "candidate_timeout": [Interval(Real, 0, None, closed="neither"), None],
        "candidate_memory": [Interval(Real, 0, None, closed="neither"), None],
        "max_predict_seconds": [Interval(Real, 0, None, closed="neither"), None],
        "max_model_bytes": [Interval(Real, 0, None, closed="neither"), None],
        "checkpoint": [str, os.PathLike, None],
        "remember": ["boolean", KnowledgeBase],
        "lookahead": [Interval(Integral, 1, None, closed="left")],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        n_iter=10,
        time_budget=None,
        strategy="auto",
        knowledge="bundled",
        scoring=None,
        cv=None,
        families=None,
        ensemble_size=30,
        racing=True,
        max_rows=10_000,
        n_jobs=None,
        patience=None,
        tol=0.0,
        candidate_timeout=None,
        candidate_memory=None,
        max_predict_seconds=None,
        max_model_bytes=None,
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
        self.ensemble_size = ensemble_size
        self.racing = racing
        self.max_rows = max_rows
        self.n_jobs = n_jobs
        self.patience = patience
        self.tol = tol
        self.candidate_timeout = candidate_timeout
        self.candidate_memory = candidate_memory
        self.max_predict_seconds = max_predict_seconds
        self.max_model_bytes = max_model_bytes
        self.checkpoint = checkpoint
        self.remember = remember
        self.lookahead = lookahead
        self.verbose = verbose
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y):
        """Search over pipelines, and fit the best one, or an ensemble of several, on all data.

        Parameters
        ----------
        X : array-like, sparse matrix or dataframe of shape (n_samples, n_features)
            Columns of any type; missing values are allowed.
        y : array-like of shape (n_samples,)

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data cannot be used; the message says why.
        """
        began = time.monotonic()
        if self.n_iter is None and self.time_budget is None:
            raise ValueError(
                "n_iter=None and time_budget=None set no end to the search; give one of them."
            )
        X = check_table(X, self)
        y = check_target(y, X, self._kind, self)
        if isinstance(self.scoring, str):
            check_metric(self.scoring, y, self._kind)
        validate_data(self, X, skip_check_array=True)
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        self._learn_target(y)
        root = begin_callbacks(self, max_subtasks=1)
        root.call_on_fit_task_begin(estimator=self, X=X, y=y)
        with ExitStack() as stack:
            session, memory = self._start(X, y, seed, began, stack)
            trials = session.run()
            self.stop_reason_, self.n_splits_ = session.stop_reason, len(session.payload.splits)
            points = [trial.proposal.point for trial in trials]
            self.configurations_ = [from_point(point) for point in points]
            self.cv_results_ = format_results(trials, points, self.n_splits_, False)
            ending = Ending(self, session, trials, X, y, self._kind)
            ending.finish()
            self._holds_text = len(ending.schema.numeric) < ending.schema.n_features
            if memory is not None:
                memory.record(
                    X,
                    y,
                    session.payload.make.schema,
                    trials,
                    self.configurations_,
                    session.loop.guide,
                    session.loop.context.metafeatures,
                )
        root.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

    def _learn_target(self, y):
        """Keep what a subclass needs of the target."""

    def _fingerprint(self, X, y, cv):
        settings = [self.families, self.scoring, self.strategy, self.max_rows, self.racing]
        settings += [self.max_predict_seconds, self.max_model_bytes]
        return fingerprint_of(X, y, self.random_state, cv=cv, settings=settings)

    def _splitter(self, y, seed):
        """Shuffled folds, stratified for classes."""
        n_folds = 5 if self.cv is None else self.cv
        if len(y) < n_folds:
            raise ValueError(
                f"{n_folds} folds need at least {n_folds} rows; n_samples={len(y)}. Give more "
                "rows or a smaller cv."
            )
        if self._kind == "regression":
            return KFold(n_folds, shuffle=True, random_state=seed)
        counts = np.unique(y, return_counts=True)[1]
        if counts.max() < n_folds:
            raise ValueError(
                f"{n_folds} folds need a class of at least {n_folds} rows; the largest has "
                f"{counts.max()}. Give more rows or a smaller cv."
            )
        return StratifiedKFold(n_folds, shuffle=True, random_state=seed)

    def _start(self, X, y, seed, began, stack):
        """Make the session of the search, and the memory that is to record it."""
        kind = self._kind
        # Folds given as rows refer to all of them.
        given = self.cv is not None and not isinstance(self.cv, Integral)
        as_rows = given and not hasattr(self.cv, "split")
        cv = list(self.cv) if as_rows else self.cv
        fingerprint = {} if self.checkpoint is None else self._fingerprint(X, y, cv)
        journal = open_journal(self.checkpoint, fingerprint)
        stack.callback(journal.close)
        seed = int(journal.meta.get("seed", seed))
        n_kept = len(y) if as_rows else self.max_rows
        rows = choose_rows(y, n_kept, kind, np.random.RandomState(seed))
        whole = len(rows) == len(y)
        X_search, y_search = (X, y) if whole else (safe_indexing(X, rows), y[rows])
        schema = Schema.from_data(X_search, y_search, kind)
        if journal.splits is None:
            if given:
                # It may know rows by their place among all.
                cv = check_cv(cv, y, classifier=kind == "classification")
                splits = cut_folds(materialise(cv, X, y, {}), rows, len(y))
            else:
                splits = materialise(self._splitter(y_search, seed), X_search, y_search, {})
            journal.begin({**fingerprint, "seed": str(seed)}, splits)
        knowledge = open_knowledge(self.knowledge)
        pool = pool_candidates(kind, schema, self.scoring, knowledge, self.families)
        metric = metric_name(self.scoring, kind)
        memory = memory_of(self, kind, metric)
        report = SearchReport(used=pool.past is not None, kind=kind, candidates=len(pool.points))
        metafeatures = None
        if pool.past is None:
            report["why"] = "none was asked for" if knowledge is None else "no past task is known"
        else:
            warn_if_not_iid(self.cv, None)
            report.update(
                metric=pool.metric, metric_is_exact=pool.exact, tasks=len(pool.past.tasks)
            )
        if pool.past is not None or memory is not None:
            metafeatures = measure(X_search, y_search, kind)
        past = pool.past
        if memory is not None:
            own = memory.past(pool.configurations)
            report["own_tasks"] = 0 if own is None else len(own.tasks)
            past = stack_past(past, own)
            report["used"] = past is not None
        if metafeatures is not None and pool.past is not None and pool.past.metafeature_names:
            near = knowledge.neighbors(metafeatures=metafeatures, kind=kind, n_neighbors=3)
            report["neighbors"] = [neighbor.task.name for neighbor in near]
        self.knowledge_report_ = report
        first = build_estimator(pool.configurations[0], schema)
        self.scorer_ = check_scoring(first, self.scoring or self._default_scoring)
        # A later fit from the checkpoint may ask for an ensemble.
        mixable = scores_predictions(self.scorer_)
        keep = mixable and (self.ensemble_size > 1 or self.checkpoint is not None)
        payload = Payload(
            X=X_search,
            y=y_search,
            splits=journal.splits,
            make=MakePipeline(schema, seed % 2**31),
            scorer=self.scorer_,
            verbose=self.verbose,
            keep_predictions=keep,
            max_predict_seconds=self.max_predict_seconds,
            max_model_bytes=self.max_model_bytes,
        )
        context = Context(
            candidates=pool.points,
            space=pool.space,
            kind=kind,
            metric=pool.metric or self._default_scoring,
            past=past,
            metafeatures=metafeatures,
            predicted_seconds=pool.seconds,
            n_evaluations=self.n_iter,
            seconds=self.time_budget,
            seed=seed,
        )
        settings = Settings(
            began=began,
            n_iter=self.n_iter,
            time_budget=self.time_budget,
            n_jobs=self.n_jobs,
            patience=self.patience,
            tol=self.tol,
            racing=self.racing,
            lookahead=self.lookahead,
            candidate_timeout=self.candidate_timeout,
            candidate_memory=self.candidate_memory,
            verbose=self.verbose,
            ensemble=mixable and self.ensemble_size > 1,
        )
        session = Session(
            self,
            payload,
            get_strategy(copy.deepcopy(self.strategy)),
            context,
            settings,
            lambda proposal: dict(proposal.point),
            guide_by("score"),
            journal=journal,
        )
        return stack.enter_context(session), memory

    def _ready(self, X):
        """Check rows to predict against those of fit."""
        check_is_fitted(self, "best_estimator_")
        X = check_rows(X, self, self._holds_text)
        validate_data(self, X, reset=False, skip_check_array=True)
        return X

    def predict(self, X):
        """Predict with the final model.

        Parameters
        ----------
        X : array-like, sparse matrix or dataframe of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        X = self._ready(X)
        # CatBoost gives a column where there are several classes.
        return np.ravel(self.best_estimator_.predict(X))

    def score(self, X, y):
        """Score the final model by what was maximised.

        Parameters
        ----------
        X : array-like, sparse matrix or dataframe of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        float
        """
        X = self._ready(X)
        return self.scorer_(self.best_estimator_, X, y)

    def leaderboard(self):
        """List the configurations, best first.

        Returns
        -------
        pandas.DataFrame
            Columns ``rank``, ``score`` (for one that was stopped by the race: what was expected
            of it), ``seconds`` of a fit, ``weight`` in the ensemble, ``family``,
            ``configuration``, ``reason``, ``status``.
        """
        from ..exceptions import import_optional

        check_is_fitted(self, "cv_results_")
        pandas = import_optional("pandas", "pandas", "leaderboard")
        results = self.cv_results_
        frame = pandas.DataFrame(
            {
                "score": results["estimate"],
                "seconds": results["mean_fit_time"],
                "weight": [self.ensemble_.get(i, 0) for i in range(len(self.configurations_))],
                "family": [own.family for own in self.configurations_],
                "configuration": [str(own) for own in self.configurations_],
                "reason": results["reason"],
                "status": results["status"],
            }
        )
        order = np.lexsort(
            (np.nan_to_num(-frame["score"], nan=np.inf), frame["status"].to_numpy() != "ok")
        )
        frame = frame.iloc[order]
        frame.insert(0, "rank", np.arange(1, len(frame) + 1))
        return frame.set_index("rank")
