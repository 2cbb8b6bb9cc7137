"""One candidate on one fold: fit, score, and what else is asked to be kept of it."""

import inspect
import os
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn import config_context, get_config
from sklearn.base import clone

from .._compat import fit_and_score, is_multimetric, num_samples, safe_indexing, scorer_names
from ..spaces import plain_value
from ._margins import lacks_probabilities, unseen_probabilities
from ._user_code import dumps_back

__all__ = [
    "FoldResult",
    "Payload",
    "ScorerSpy",
    "SetParams",
    "failed_fold",
    "call_configured",
    "run_configured",
    "run_fold",
    "write_model",
]


@dataclass
class Payload:
    """What all evaluations of one search share; it travels to each worker once.

    Parameters
    ----------
    X, y : array-like
        The data, in the user's own container.
    splits : list of (ndarray, ndarray)
        Training and test rows of each fold.
    make : callable
        ``make(candidate)`` gives an unfitted estimator and the parameters still to be set on it
        (or None).
    scorer : callable
        A scorer, or several in scikit-learn's multimetric form.
    fit_params, score_params : dict
        Passed on to `fit` and to the scorer; arrays of n_samples values are cut to the fold.
    return_train_score : bool
        Whether the training rows are scored too.
    error_score : "raise" or float
        Score of a candidate that fails; ``"raise"``: its exception ends the search.
    verbose : int
        How much is printed, as in `GridSearchCV`.
    keep_predictions : bool
        Whether to return the predictions on the test rows: values, or the probabilities of
        classes. Those of a classifier that only gives decision values are mapped from them by
        what other test rows say; they are labels where that cannot be.
    keep_models : str or None
        Folder where fitted models are left.
    n_models : int
        Number of first folds whose models are left.
    models_travel : bool
        Whether they come from machines that have not the folder.
    validates : bool
        Whether an estimator whose `fit` takes `X_val` and `y_val` is given the test rows to stop
        by. It then has ``n_iter``, ``plain()`` gives the model, and ``judged_on(X)`` what is
        scored on these rows in its place.
    max_predict_seconds, max_model_bytes : float or None
        Limits whose excess is reported; seconds are for 1,000 rows.
    config : dict
        Global configuration of scikit-learn, as it is set in the worker.
    filters : list
        Warning filters, as they are set in the worker.
    """

    X: Any
    y: Any
    splits: list
    make: Callable
    scorer: Any
    fit_params: dict = field(default_factory=dict)
    score_params: dict = field(default_factory=dict)
    return_train_score: bool = False
    error_score: Any = np.nan
    verbose: int = 0
    keep_predictions: bool = False
    keep_models: str | None = None
    n_models: int = 1
    models_travel: bool = True
    validates: bool = False
    max_predict_seconds: float | None = None
    max_model_bytes: float | None = None
    config: dict = field(default_factory=get_config)
    filters: list = field(default_factory=lambda: list(warnings.filters))


@dataclass
class FoldResult:
    """What one candidate gave on one fold.

    Parameters
    ----------
    status : {"ok", "crashed", "timeout", "memory", "died", "invalid"}
        ``"invalid"``: a score is not a finite number.
    scores, train_scores : float, or dict of str to float
        As the scorer gave them; None without a fit.
    fit_seconds, score_seconds : float
        Wall seconds of the fit, and of scoring the test rows.
    failure : str
        Why the status is not ok: traceback or explanation.
    predictions : ndarray or None
        On the test rows, where the payload asks for them.
    classes : ndarray or None
        Classes that the columns of the predictions stand for.
    model : str or bytes
        Name of the file of the fitted model, or the model itself where this machine has not the
        folder.
    excess : str
        Which limit of prediction time or model size was exceeded, and how.
    shares : tuple of float
        What the model takes of each of these limits, 1 for all of it.
    error : Exception or None
        The exception itself where it is to be raised.
    stop : bool
        Whether a callback asked to stop.
    n_iter : int or None
        Number of iterations after which the test rows stopped it.
    warnings : tuple of (type, str)
        Category and text of what fit and scoring warned of.
    """

    status: str
    scores: Any = None
    train_scores: Any = None
    fit_seconds: float = 0.0
    score_seconds: float = 0.0
    failure: str = ""
    predictions: Any = None
    classes: Any = None
    model: str = ""
    excess: str = ""
    shares: tuple = ()
    error: Any = None
    stop: bool = False
    n_iter: int | None = None
    warnings: tuple = ()


def failed_fold(status, failure, seconds=0.0, error_score=np.nan, scorer_names=None):
    """Make the result of a fold that never came back.

    Parameters
    ----------
    status : str
    failure : str
        What happened, in words.
    seconds : float, default=0.0
    error_score : "raise" or float, default=nan
    scorer_names : list of str or None, default=None
        None for a single scorer.
    """
    score = error_score if error_score != "raise" else np.nan
    scores = score if scorer_names is None else dict.fromkeys(scorer_names, score)
    return FoldResult(status, scores, scores, fit_seconds=seconds, failure=failure)


@dataclass
class SetParams:
    """Make candidates by setting parameters on a copy of one estimator.

    Parameters
    ----------
    estimator : estimator object
    """

    estimator: Any

    def __call__(self, params):
        return clone(self.estimator), params


class _Recorder:
    """Passes callback calls on and remembers whether one of them asked to stop."""

    def __init__(self, context):
        self.context, self.stop = context, False

    def propagate_callback_context(self, estimator):
        return self.context.propagate_callback_context(estimator)

    def call_on_fit_task_begin(self, **arguments):
        self.context.call_on_fit_task_begin(**arguments)
        return self

    def call_on_fit_task_end(self, **arguments):
        self.stop = bool(self.context.call_on_fit_task_end(**arguments)) or self.stop
        return self.stop


def _judged(model, X):
    return model.judged_on(X) if hasattr(model, "judged_on") else model


class _JudgeScorer:
    """Scores what stands for a model on the rows that stopped it."""

    def __init__(self, scorer):
        self.scorer = scorer

    def __call__(self, estimator, X, y, **params):
        return self.scorer(_judged(estimator, X), X, y, **params)


class ScorerSpy:
    """Passes calls on to a scorer and remembers what it raised.

    Parameters
    ----------
    scorer : callable

    Attributes
    ----------
    problem : str
        Traceback of the last exception; empty where there was none.
    """

    def __init__(self, scorer):
        self.scorer, self.problem = scorer, ""

    def __call__(self, *arguments, **options):
        try:
            return self.scorer(*arguments, **options)
        except Exception:
            self.problem = traceback.format_exc()
            raise


def run_fold(payload, candidate, fold, progress=None, caller=None, context=None):
    """Evaluate a candidate on a fold.

    The caller sees to it that compiled code uses one thread: with several, sums are made in
    another order, and results would depend on the number of workers.

    Parameters
    ----------
    payload : Payload
        What all evaluations of the search share.
    candidate : object
        What `payload.make` takes.
    fold : int
        Position in `payload.splits`.
    progress : tuple of (int, int), optional
        Number of the candidate and of all candidates, for messages.
    caller : estimator, optional
        The search, for its callbacks.
    context : CallbackContext, optional
        Of this evaluation.

    Returns
    -------
    FoldResult
        Whatever the candidate's own code raises becomes its status, never an exception.
    """
    recorder = None if context is None else _Recorder(context)
    with _gathered_warnings() as caught:
        result = _evaluate_safely(payload, candidate, fold, progress, caller, recorder)
    result.warnings = tuple((own.category, str(own.message)) for own in caught)
    if recorder is not None:
        result.stop = recorder.stop
    return result


@contextmanager
def _gathered_warnings():
    """Keep warnings for the search to tell, once; filters stay as they are."""
    if threading.current_thread() is not threading.main_thread():
        # Warnings belong to the whole process.
        yield []
        return
    with warnings.catch_warnings(record=True) as caught:
        yield caught


def _evaluate_safely(payload, candidate, fold, progress, caller, recorder):
    """Evaluate; what goes wrong is a result, too."""
    try:
        return _evaluate(payload, candidate, fold, progress, caller, recorder)
    except (MemoryError, SystemExit) as error:
        # A candidate that calls `sys.exit` ends itself, and not the search.
        status = "memory" if isinstance(error, MemoryError) else "crashed"
        names = scorer_names(payload.scorer) or None
        result = failed_fold(status, repr(error), 0.0, payload.error_score, names)
        if payload.error_score == "raise":
            result.error = RuntimeError(repr(error)) if status == "crashed" else error
        return result
    except Exception as error:
        return FoldResult("crashed", failure=repr(error), error=error)


def call_configured(config, filters, function, *args):
    """Call a function under a configuration of scikit-learn and filters of warnings.

    Parameters
    ----------
    config : dict
    filters : list
    function : callable
    *args
        Its arguments.

    Returns
    -------
    object
        What the function returns.
    """
    with config_context(**config):
        if threading.current_thread() is not threading.main_thread():
            # Warning filters belong to the whole process.
            return function(*args)
        with warnings.catch_warnings():
            warnings.filters[:] = filters
            return function(*args)


def run_configured(payload, *job):
    """Call `run_fold` under the configuration of the thread, or process, that asked.

    Parameters
    ----------
    payload : Payload
    *job
        The other arguments of `run_fold`.
    """
    return call_configured(payload.config, payload.filters, run_fold, payload, *job)


def _evaluate(payload, candidate, fold, progress, caller, recorder):
    estimator, params = payload.make(candidate)
    train, test = payload.splits[fold]
    needs_model = (
        payload.keep_predictions
        or _leaves_model(payload, fold)
        or payload.max_predict_seconds is not None
        or payload.max_model_bytes is not None
    )
    # Of several metrics scikit-learn itself keeps the failures apart.
    spy = ScorerSpy(_JudgeScorer(payload.scorer) if payload.validates else payload.scorer)
    out = fit_and_score(
        estimator,
        payload.X,
        payload.y,
        scorer=payload.scorer if is_multimetric(payload.scorer) else spy,
        train=train,
        test=test,
        verbose=payload.verbose,
        parameters=params,
        fit_params={**payload.fit_params, **_rows_to_stop_by(payload, estimator, test)},
        score_params=payload.score_params,
        return_train_score=payload.return_train_score,
        return_times=True,
        return_estimator=True,
        error_score=payload.error_score,
        split_progress=(fold, len(payload.splits)),
        candidate_progress=progress,
        caller=caller,
        callback_ctx=recorder,
    )
    result = FoldResult(
        "ok",
        out["test_scores"],
        out.get("train_scores"),
        fit_seconds=out["fit_time"],
        score_seconds=out["score_time"],
    )
    if out["fit_error"] is not None:
        result.status, result.failure = "crashed", out["fit_error"]
        return result
    model = out["estimator"]
    if payload.validates and hasattr(model, "plain"):
        result.n_iter = model.n_iter
    scores = result.scores.values() if isinstance(result.scores, dict) else [result.scores]
    if not all(np.isfinite(score) for score in scores):
        result.status = "invalid"
        result.failure = spy.problem or f"The score is not finite: {plain_value(result.scores)}."
    if needs_model:
        try:
            _keep(payload, model, test, fold, result)
        except Exception as error:
            # The scorer has said whether this matters.
            result.failure = result.failure or repr(error)
    return result


def _keep(payload, model, test, fold, result):
    """Add to the result what is asked of the fitted model itself."""
    X_test = safe_indexing(payload.X, test)
    if payload.keep_predictions:
        y_test = safe_indexing(payload.y, test)
        judged = _judged(model, X_test) if payload.validates else model
        result.predictions, result.classes = _predict(judged, X_test, y_test)
    if payload.validates and hasattr(model, "plain"):
        model = model.plain()
    limit = payload.max_predict_seconds
    if limit is not None:
        n_rows = num_samples(X_test)
        if n_rows < 1000:
            # A call has a price of its own: the rows of a small fold are repeated.
            X_test = safe_indexing(X_test, np.resize(np.arange(n_rows), 1000))
        begun = time.perf_counter()
        model.predict(X_test)
        seconds = 1000 * (time.perf_counter() - begun) / max(n_rows, 1000)
        result.shares += (seconds / limit,)
        if seconds > limit:
            result.excess = f"{seconds:.3g} s to predict 1,000 rows; the limit is {limit:g} s"
    leaves, near = _leaves_model(payload, fold), os.path.isdir(payload.keep_models or "")
    leaves = leaves and (near or payload.models_travel)
    if not leaves and payload.max_model_bytes is None:
        return
    content = dumps_back(model)
    limit = payload.max_model_bytes
    if limit is not None:
        result.shares += (len(content) / limit,)
        if len(content) > limit:
            result.excess = f"{len(content):,} bytes of model; the limit is {limit:,.0f}"
    if leaves and near:
        content = write_model(payload.keep_models, content)
    if leaves:
        result.model = content


def _rows_to_stop_by(payload, estimator, test):
    if not payload.validates or "X_val" not in inspect.signature(estimator.fit).parameters:
        return {}
    return {
        "X_val": safe_indexing(payload.X, test),
        "y_val": safe_indexing(payload.y, test),
    }


def _leaves_model(payload, fold):
    return payload.keep_models is not None and fold < payload.n_models


def write_model(folder, content):
    """Write a model into a folder.

    Parameters
    ----------
    folder : str
    content : bytes

    Returns
    -------
    str
        The name of the file.
    """
    name = f"{os.getpid()}-{time.perf_counter_ns()}.model"
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content)
    return name


def _predict(model, X, y):
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(X)), getattr(model, "classes_", None)
    if lacks_probabilities(model):
        try:
            return unseen_probabilities(model, X, y), model.classes_
        except ValueError:
            # Of some class there are too few rows.
            pass
    return np.asarray(model.predict(X)), None
