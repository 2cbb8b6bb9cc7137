"""One configuration on one fold of one task: what a worker process runs."""

import pickle
import time
import warnings

import numpy as np
from threadpoolctl import threadpool_limits

from ..evaluation import unseen_probabilities
from ..search import StoppedPipeline
from ..spaces import Configuration, build_estimator, is_stopped_by_folds
from ._fold_metrics import classification_scores, confusion_counts, regression_scores
from ._tasks import prepare

__all__ = ["measure_fold"]

_WARNING_CODES = (
    ("ConvergenceWarning", "convergence"),
    ("RuntimeWarning", "numerical"),
    ("UserWarning", "user"),
    ("FutureWarning", "future"),
    ("DeprecationWarning", "deprecation"),
)


class _Clock:
    def __enter__(self):
        self._start = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *exception):
        self.cpu = time.process_time() - self._start[0]
        self.wall = time.perf_counter() - self._start[1]


def measure_fold(source, fidelity, configuration, fold, keep=False):
    """Fit a configuration on a fold and score it.

    Parameters
    ----------
    source : TaskSource
    fidelity : str
    configuration : dict
        From `Configuration.to_dict`.
    fold : int
    keep : bool, default=False
        Whether the predictions are given, too.

    Returns
    -------
    dict
        ``metrics`` on the fold and ``outer`` on the outer split, the ``confusion`` counts, CPU and
        wall seconds of fit and prediction, sizes, warnings; ``n_iter``, the number of trees where
        the fold's test rows decide it. ``invalid`` says why where the
        predictions are no finite numbers, ``without`` what could not be scored. ``kept``:
        probabilities, decision values or numbers of both parts.
    """
    task = prepare(source, fidelity)
    train, test = task.fold(fold)
    configuration = Configuration.from_dict(configuration)
    estimator = build_estimator(configuration, task.schema, random_state=task.seed(fold))
    left_out = {}
    if is_stopped_by_folds(configuration):
        estimator = StoppedPipeline(estimator.steps)
        left_out = {"X_val": task.X.iloc[test], "y_val": task.y[test]}
    with warnings.catch_warnings(record=True) as caught, threadpool_limits(1):
        warnings.simplefilter("always")
        with _Clock() as fit:
            estimator.fit(task.X.iloc[train], task.y[train], **left_out)
        with _Clock() as predict:
            record, kept = _score(task, estimator, test)
        outer, kept_outer = _score(task, estimator, task.outer)
        record["outer"] = outer["metrics"]
    record.update(
        fit_cpu=round(fit.cpu, 4),
        fit_wall=round(fit.wall, 4),
        predict_cpu=round(predict.cpu, 4),
        predict_wall=round(predict.wall, 4),
        n_train=len(train),
        n_test=len(test),
        warnings=sorted({_code(warning.category) for warning in caught}),
    )
    if left_out:
        record["n_iter"] = estimator.n_iter
    if keep:
        record["kept"] = kept, kept_outer
    if fold == 0:
        record["size"] = len(pickle.dumps(estimator, protocol=5))
        record["n_columns"] = _columns_after_preprocessing(estimator)
    return record


def _code(category):
    names = {base.__name__ for base in category.__mro__}
    return next((code for name, code in _WARNING_CODES if name in names), "other")


def _columns_after_preprocessing(estimator):
    model = estimator[-1]
    model = getattr(model, "regressor_", model)
    return int(getattr(model, "n_features_in_", 0))


def _score(task, estimator, rows):
    """Scores of the predictions, and these."""
    X, truth = task.X.iloc[rows], task.y[rows]
    # Some estimators of other packages give a column.
    predicted = np.ravel(estimator.predict(X))
    if not task.n_classes:
        scores = regression_scores(truth, np.asarray(predicted, dtype=float), task.scale)
        record = {"metrics": _short(scores)}
        if not np.isfinite(predicted).all():
            record["invalid"] = "predictions are not finite"
        return record, predicted
    predicted = np.asarray(predicted, dtype=int)
    probabilities = decision = None
    if hasattr(estimator, "predict_proba"):
        probabilities = _padded(estimator.predict_proba(X), estimator.classes_, task.n_classes, 0.0)
    elif hasattr(estimator, "decision_function"):
        decision = np.asarray(estimator.decision_function(X), dtype=float)
        if decision.ndim == 1:
            decision = np.c_[-decision, decision]
        lowest = decision.min() - 1.0 if decision.size else 0.0
        decision = _padded(decision, estimator.classes_, task.n_classes, lowest)
        probabilities = _of_decisions(task, estimator, X, truth)
    scores = classification_scores(truth, predicted, task.n_classes, probabilities, decision)
    record = {
        "metrics": _short(scores),
        "confusion": confusion_counts(truth, predicted, task.n_classes),
    }
    if probabilities is None:
        record["without"] = "probabilities: a class has too few rows to map decision values"
    elif not np.isfinite(probabilities).all():
        record["invalid"] = "probabilities are not finite"
    return record, probabilities if decision is None else decision


def _of_decisions(task, estimator, X, truth):
    """The probabilities that a search makes of decision values; None where a class has few rows."""
    try:
        found = unseen_probabilities(estimator, X, truth)
    except ValueError:
        return None
    return _padded(found, estimator.classes_, task.n_classes, 0.0)


def _padded(values, classes, n_classes, fill):
    padded = np.full((len(values), n_classes), fill)
    padded[:, np.asarray(classes, dtype=int)] = values
    return padded


def _short(scores):
    return {
        name: None if not np.isfinite(value) else float(f"{value:.6g}")
        for name, value in scores.items()
    }
