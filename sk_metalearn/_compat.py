"""Every private scikit-learn name that the package uses, in one place, for each version."""

import copy
import inspect
from contextlib import nullcontext

from sklearn.base import _fit_context
from sklearn.metrics import get_scorer
from sklearn.metrics._scorer import _MultimetricScorer, _PassthroughScorer, _Scorer
from sklearn.model_selection import _search
from sklearn.model_selection._validation import (
    _fit_and_score,
    _warn_or_raise_about_fit_failures,
)
from sklearn.utils import _safe_indexing, indexable
from sklearn.utils._metadata_requests import SIMPLE_METHODS, _routing_enabled
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils._repr_html.estimator import _VisualBlock
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import _check_method_params, _num_samples

__all__ = [
    "BaseSearchCV",
    "CallbackSupportMixin",
    "Interval",
    "KEPT_BY_CLONE",
    "NoCallbacks",
    "StrOptions",
    "_fit_context",
    "accepts_callbacks",
    "accepts_sample_weight",
    "begin_callbacks",
    "check_method_params",
    "check_refit_for_multimetric",
    "fit_and_score",
    "indexable",
    "is_multimetric",
    "masked_params",
    "needs_probabilities",
    "num_samples",
    "output_format",
    "own_score_of",
    "ranks_classes",
    "requests_of",
    "routed_params",
    "routing_is_on",
    "safe_indexing",
    "scorer_names",
    "scorers_of",
    "scores_predictions",
    "single_scorers",
    "visual_block",
    "select_best_index",
    "warn_or_raise_about_fit_failures",
]

BaseSearchCV = _search.BaseSearchCV

check_method_params = _check_method_params
routing_is_on = _routing_enabled
masked_params = _search._yield_masked_array_for_each_param
num_samples = _num_samples
safe_indexing = _safe_indexing
warn_or_raise_about_fit_failures = _warn_or_raise_about_fit_failures

# What `clone` keeps of an estimator beside its parameters: metadata requests and `set_output`.
KEPT_BY_CLONE = ("_metadata_request", "_sklearn_output_config")

_TAKES_CONTEXT = "callback_ctx" in inspect.signature(_fit_and_score).parameters


def fit_and_score(estimator, X, y, *, caller=None, callback_ctx=None, **options):
    """Fit on one split and score on its other part, as `cross_validate` does."""
    if _TAKES_CONTEXT:
        options.update(caller=caller, callback_ctx=callback_ctx)
    return _fit_and_score(estimator, X, y, **options)


def is_multimetric(scorer):
    """Tell whether a scorer is scikit-learn's bundle of several."""
    return isinstance(scorer, _MultimetricScorer)


def scorer_names(scorer):
    """Names of the metrics of a multimetric scorer; empty for any other."""
    return list(scorer._scorers) if is_multimetric(scorer) else []


def single_scorers(scorer):
    """Give what a search stores as ``scorer_``: a dict for several metrics."""
    return scorer._scorers if is_multimetric(scorer) else scorer


def needs_probabilities(scoring):
    """Whether a scorer, or that of a name, calls ``predict_proba`` and nothing else."""
    scorer = get_scorer(scoring) if isinstance(scoring, str) else scoring
    return getattr(scorer, "_response_method", None) == "predict_proba"


def scores_predictions(scorer):
    """Whether a scorer, of scikit-learn's making, looks at labels, values or probabilities only."""
    methods = getattr(scorer, "_response_method", ())
    methods = {methods} if isinstance(methods, str) else set(methods)
    return isinstance(scorer, _Scorer) and bool(methods & {"predict", "predict_proba"})


def own_score_of(scorer):
    """The estimator whose own ``score`` a scorer asks for; None for a metric."""
    return scorer._estimator if isinstance(scorer, _PassthroughScorer) else None


def ranks_classes(scorer):
    """Whether a scorer, of scikit-learn's making, looks at a number for each class."""
    if not isinstance(scorer, _Scorer):
        return False
    methods = scorer._response_method
    methods = {methods} if isinstance(methods, str) else set(methods)
    return methods <= {"predict_proba", "decision_function"}


def takes_labels(scorer):
    """Whether such a scorer compares these numbers with a list of labels."""
    if not ranks_classes(scorer):
        return False
    # Areas under a curve are not defined where a class has no rows, whatever the labels.
    function = scorer._score_func
    own = "labels" in inspect.signature(function).parameters and "labels" not in scorer._kwargs
    return own and "auc" not in function.__name__


def with_labels(scorer, labels):
    """Give such a scorer the labels, as its rows may not hold all of them."""
    own = copy.copy(scorer)
    own._kwargs = {**scorer._kwargs, "labels": labels}
    return own


def needs_positive(scorer):
    """Whether a scorer, of a metric of scikit-learn's, refuses predictions of 0 or less."""
    if not isinstance(scorer, _Scorer):
        return False
    function = scorer._score_func
    if not function.__module__.startswith("sklearn.") or scorer._response_method != "predict":
        return False
    target = [1.0, 2.0, 3.0]
    try:
        function(target, [0.5, 2.0, 3.0], **scorer._kwargs)
    except Exception:
        return False
    try:
        function(target, [-2.0, 2.0, 3.0], **scorer._kwargs)
    except ValueError:
        return True
    return False


def scorers_of(search):
    """Give the scorers of a search and the name of the metric it refits on."""
    return search._get_scorers()


def routed_params(search, params):
    """Give what was passed to `fit`, sorted by who receives it."""
    return search._get_routed_params_for_fit(params)


def check_refit_for_multimetric(search, scores):
    """Raise where `refit` names none of several metrics."""
    search._check_refit_for_multimetric(scores)


def select_best_index(refit, metric, results):
    """Give the index that `refit` chooses in `cv_results_`."""
    return BaseSearchCV._select_best_index(refit, metric, results)


def accepts_sample_weight(scorer, weight):
    """Whether weights were given, and a scorer of scikit-learn's making takes them."""
    accepts = getattr(scorer, "_accept_sample_weight", None)
    return weight is not None and accepts is not None and accepts()


try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:

    class CallbackSupportMixin:
        """Stands in where scikit-learn has no callbacks (before 1.9)."""


class NoCallbacks:
    """Stands in for the callback context where scikit-learn has none (before 1.9)."""

    def subcontext(self, *args, **kwargs):
        return self

    def call_on_fit_task_begin(self, **kwargs):
        return self

    def call_on_fit_task_end(self, **kwargs):
        return False

    def propagate_callback_context(self, estimator):
        return nullcontext()


def begin_callbacks(estimator, max_subtasks):
    """Give the root callback context of a fit; `_fit_context` tears it down."""
    if hasattr(estimator, "_init_callback_context"):
        return estimator._init_callback_context(max_subtasks=max_subtasks)
    return NoCallbacks()


def accepts_callbacks(estimator):
    """Tell whether any callback is registered on the estimator."""
    return bool(getattr(estimator, "_skl_callbacks", None))


def visual_block(name, estimator):
    """What the HTML of an estimator shows inside of it: another one."""
    return _VisualBlock(
        "parallel",
        [estimator],
        names=[f"{name}: {type(estimator).__name__}"],
        name_details=[str(estimator)],
    )


def output_format(transformer, default="default"):
    """The container that `set_output` asks of ``transform``: default, pandas or polars."""
    if default is None and "_sklearn_output_config" not in vars(transformer):
        return None
    return _get_output_config("transform", transformer)["dense"]


def requests_of(estimator):
    """The metadata that an estimator was made to request, by method: dict of dict."""
    own = vars(estimator).get("_metadata_request")
    if own is None:
        return {}
    requests = {name: getattr(own, name).requests for name in SIMPLE_METHODS}
    return {name: dict(requested) for name, requested in requests.items() if requested}
