"""All that a `MetaSearchCV` settles before its first candidate runs."""

import copy
import warnings
from functools import partial

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state

from .._compat import accepts_callbacks, scorer_names
from ..evaluation import Payload, check_fingerprint, make_by_params, open_journal
from ..exceptions import FallbackWarning
from ..spaces import point_key, point_keys
from ..strategies import Context, get_strategy
from ._candidates import check_names, choose_n_iter, make_candidates
from ._fingerprint import fingerprint_of
from ._memory import memory_of, metric_name, stack_past
from ._prior import past_performance
from ._refit import OneStandardError
from ._report import SearchReport
from ._session import Session, Settings
from ._task import describe_task, measure, open_knowledge, warn_if_not_iid

__all__ = ["Setup", "guide_by", "materialise"]

# What decides which candidates a search tries, and what is stored of a fold.
_DECISIVE = (
    "scoring strategy enqueue racing return_train_score error_score candidate_timeout "
    "candidate_memory max_predict_seconds max_model_bytes"
).split()


def materialise(cv, X, y, split_params):
    """Draw the folds once, so that every candidate meets the same ones.

    Raises
    ------
    ValueError
        If there are no folds, or not as many as the splitter said.
    """
    promised = cv.get_n_splits(X, y, **split_params)
    splits = [
        (np.asarray(train), np.asarray(test)) for train, test in cv.split(X, y, **split_params)
    ]
    if not splits:
        raise ValueError(
            "No fits were performed. Was the CV iterator empty? Were there no candidates?"
        )
    if len(splits) != promised:
        raise ValueError(
            "cv.split and cv.get_n_splits return inconsistent results. Expected "
            f"{promised} splits, got {len(splits)}"
        )
    return splits


def _guide(result, name):
    if result.status not in ("ok", "invalid") or result.scores is None:
        return np.nan
    if isinstance(result.scores, dict):
        scores = result.scores
        return scores[name] if name in scores else next(iter(scores.values()))
    return result.scores


def _guiding_metric(search, metric):
    """Name of the metric to refit on; only `refit` knows it where a callable gives several."""
    if isinstance(search.refit, OneStandardError):
        return search.refit.metric
    if callable(search.scoring) and isinstance(search.refit, str):
        return search.refit
    return metric if isinstance(metric, str) else "score"


def guide_by(metric):
    """Give the function that reads the score to maximise from a fold's result."""
    return partial(_guide, name=metric)


class Setup:
    """Folds, candidates, past, strategy and journal of one search.

    Parameters
    ----------
    search : MetaSearchCV
    X, y : array-like
    scorer : callable
    metric : str
        Name of the metric to refit on.
    routed : Bunch
        What `fit` was given, sorted by receiver.
    """

    def __init__(self, search, X, y, scorer, metric, routed):
        self.search, self.scorer, self.routed = search, scorer, routed
        self.X, self.y = X, y
        self.names = scorer_names(scorer)
        self.guiding = _guiding_metric(search, metric)
        if self.names and self.guiding not in self.names:
            self.guiding = self.names[0]
        self.cv = check_cv(search.cv, y, classifier=is_classifier(search.estimator))
        seed = check_random_state(search.random_state).randint(2**31 - 1)
        self._open_journal(seed)
        self.splits = self.journal.splits
        self.seed = int(self.journal.meta["seed"])
        self._choose_candidates()
        self._ask_the_past()
        self._ask_the_memory()

    def _open_journal(self, seed):
        search, kept = self.search, getattr(self.search, "_journal", None)
        fingerprint = {}
        if search.checkpoint is not None or search.warm_start:
            fingerprint = self._fingerprint()
        if search.checkpoint is not None:
            self.journal = open_journal(search.checkpoint, fingerprint)
        elif search.warm_start and kept is not None:
            check_fingerprint(kept, fingerprint, "The previous fit of this search")
            self.journal = kept
        else:
            self.journal = open_journal(None, fingerprint)
        if self.journal.splits is None:
            splits = materialise(self.cv, self.X, self.y, self.routed.splitter.split)
            meta = {**fingerprint, "seed": str(seed), "n_iter": str(search.n_iter)}
            self.journal.begin(meta, splits)

    def _fingerprint(self):
        search = self.search
        return fingerprint_of(
            self.X,
            self.y,
            search.random_state,
            params={**self.routed.estimator.fit, **self.routed.splitter.split},
            cv=self.cv,
            estimator=search.estimator,
            space=[search.param_grid, search.param_distributions],
            settings=[getattr(search, name) for name in _DECISIVE],
        )

    def _choose_candidates(self):
        search = self.search
        self.task = describe_task(search.estimator, self.X, self.y)
        rng = np.random.RandomState(self.seed)
        self.candidates = make_candidates(
            search.estimator,
            search.param_grid,
            search.param_distributions,
            self.task.schema,
            self.task.kind,
            search.n_iter,
            rng,
        )
        self._open_memory()
        self.enqueued = [dict(params) for params in search.enqueue or ()]
        check_names(search.estimator, self.enqueued)
        if self.enqueued and self.candidates.origin == "catalogue":
            raise ValueError(
                "enqueue needs param_grid or param_distributions: without them candidates are "
                "points of the catalogue. Give the space that the settings belong to."
            )
        if self.candidates.size is not None:
            outside = set(point_keys(self.enqueued)) - set(point_keys(self.candidates.points))
            self.candidates.size += len(outside)
        self.n_iter = choose_n_iter(search.n_iter, self.candidates, search.time_budget is not None)
        if self.enqueued and self.n_iter is not None:
            self.n_iter = max(self.n_iter, len(self.enqueued))

    def _knowledge_metric(self):
        """Name or scorer of the metric that guides the search, for the knowledge base."""
        scoring = self.search.scoring
        if isinstance(scoring, dict):
            return scoring[self.guiding]
        if scoring is None or isinstance(scoring, str) or callable(scoring):
            return scoring
        return self.guiding

    def _ask_the_past(self):
        """Gather what past tasks say, and say where they have nothing to say."""
        search, task, points = self.search, self.task, self.candidates.points
        report = SearchReport(used=False, kind=task.kind, candidates=len(points))
        self.report, self.past = report, None
        self.seconds = self.metafeatures = None
        knowledge = open_knowledge(search.knowledge)
        if knowledge is None:
            report["why"] = "none was asked for"
            return
        if task.why_not:
            self._fall_back(task.why_not)
            return
        params = [self.candidates.to_params(point) for point in points]
        try:
            self._consult(knowledge, params)
        except Exception as error:
            # Whatever the data hold that the past cannot take, the search goes on.
            self.past = self.seconds = self.metafeatures = None
            report["why"] = f"{type(error).__name__}: {error}"
        report["used"] = self.past is not None
        if self.past is None:
            self._fall_back(report["why"])
            return
        warn_if_not_iid(self.cv, self.routed.splitter.split.get("groups"))

    def _consult(self, knowledge, params):
        """Look up how the candidates did on past tasks, and which of these are near."""
        task = self.task
        prior = past_performance(
            self.search.estimator,
            params,
            task.schema,
            task.kind,
            self._knowledge_metric(),
            knowledge,
            X=self.X,
            y=self.y,
        )
        self.report.update(prior.report)
        self.past, self.seconds = prior.past, prior.seconds
        if self.past is None:
            return
        self.metafeatures = measure(self.X, self.y, task.kind)
        if self.metafeatures is not None and knowledge.table(task.kind).metafeature_names:
            near = knowledge.neighbors(
                metafeatures=self.metafeatures, kind=task.kind, n_neighbors=3
            )
            self.report["neighbors"] = [neighbor.task.name for neighbor in near]

    def _open_memory(self):
        """Open the search's own memory, and add what it has tried before to the candidates."""
        task, candidates = self.task, self.candidates
        kind = "" if task.why_not else task.kind
        self.memory = memory_of(
            self.search,
            kind,
            metric_name(self._knowledge_metric(), task.kind),
            self.search.estimator,
        )
        if self.memory is None or candidates.origin != "distributions":
            return
        if candidates.space is None:
            return
        known = {point_key(point) for point in candidates.points}
        for params in self.memory.known_params():
            if candidates.space.contains(params) and point_key(params) not in known:
                candidates.points.append(params)

    def _ask_the_memory(self):
        """Add what earlier searches of the same estimator found."""
        if self.memory is None:
            return
        params = [self.candidates.to_params(point) for point in self.candidates.points]
        own = self.memory.past(params)
        self.report["own_tasks"] = 0 if own is None else len(own.tasks)
        self.past = stack_past(self.past, own)
        self.report["used"] = self.past is not None
        if self.metafeatures is None:
            self.metafeatures = measure(self.X, self.y, self.task.kind)

    def remember(self, trials):
        """Record the finished search, if it is to be remembered."""
        if self.memory is not None:
            self.memory.record(
                self.X,
                self.y,
                self.task.schema,
                trials,
                [self.candidates.to_params(trial.proposal.point) for trial in trials],
                guide_by(self.guiding),
                self.metafeatures,
            )

    def _fall_back(self, why):
        self.report["why"] = why
        if self.memory is not None:
            return
        warnings.warn(
            f"Past tasks cannot guide this search: {why}. It goes on without them; "
            "knowledge=None says so beforehand.",
            FallbackWarning,
            stacklevel=6,
        )

    def session(self, began, root):
        """Make the session that runs the search.

        Parameters
        ----------
        began : float
            ``time.monotonic()`` when `fit` was called.
        root : CallbackContext
        """
        search = self.search
        payload = Payload(
            X=self.X,
            y=self.y,
            splits=self.splits,
            make=make_by_params(clone(search.estimator)),
            scorer=self.scorer,
            fit_params=dict(self.routed.estimator.fit),
            score_params=dict(self.routed.scorer.score),
            return_train_score=search.return_train_score,
            error_score=search.error_score,
            verbose=search.verbose,
            max_predict_seconds=search.max_predict_seconds,
            max_model_bytes=search.max_model_bytes,
        )
        first = self.journal.meta["n_iter"]
        context = Context(
            candidates=self.candidates.points,
            space=self.candidates.space,
            kind=self.task.kind or "regression",
            metric=self.guiding,
            past=self.past,
            metafeatures=self.metafeatures,
            predicted_seconds=self.seconds,
            defaults=self.candidates.defaults,
            # A search that goes on proposes what it would have proposed without the break.
            n_evaluations=int(first) if first.isdigit() else self.n_iter,
            seconds=search.time_budget,
            seed=self.seed,
        )
        settings = Settings(
            began=began,
            n_iter=self.n_iter,
            time_budget=search.time_budget,
            n_jobs=search.n_jobs,
            patience=search.patience,
            tol=search.tol,
            racing=search.racing,
            lookahead=search.lookahead if search.deterministic else None,
            candidate_timeout=search.candidate_timeout,
            candidate_memory=search.candidate_memory,
            verbose=search.verbose,
            error_score=search.error_score,
            refit=bool(search.refit),
        )
        return Session(
            search,
            payload,
            get_strategy(copy.deepcopy(search.strategy)),
            context,
            settings,
            lambda proposal: self.candidates.to_params(proposal.point),
            guide_by(self.guiding),
            journal=self.journal,
            root=root,
            watched=accepts_callbacks(search),
            enqueued=self.enqueued,
            scorer_names=self.names or None,
        )
