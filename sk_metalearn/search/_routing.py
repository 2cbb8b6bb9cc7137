"""Who receives what the fit of an Auto estimator is given beside X and y."""

from numbers import Integral

from sklearn import config_context
from sklearn.utils import Bunch
from sklearn.utils.metadata_routing import process_routing

from .._compat import accepts_sample_weight, check_method_params, routing_is_on

__all__ = ["RoutedScorer", "route", "without_routing"]


def route(auto, X, params, scorer):
    """Sort the parameters of `fit` by who receives them.

    Parameters
    ----------
    auto : AutoClassifier or AutoRegressor
    X : array-like of shape (n_samples, n_features)
    params : dict
    scorer : callable

    Returns
    -------
    Bunch
        ``estimator.fit``, ``scorer.score`` and ``splitter.split``, as a search of scikit-learn has
        them; weights under the name of a pipeline's last step.

    Raises
    ------
    TypeError
        If something else than weights and groups is given and metadata routing is off.
    """
    params = check_method_params(X, params=params)
    weight = params.get("sample_weight")
    fit = {} if weight is None else {"model__sample_weight": weight}
    if routing_is_on():
        others, own = dict(params), {}
        if "groups" in params and (auto.cv is None or isinstance(auto.cv, Integral)):
            # The folds are then of our making, and take them.
            own["groups"] = others.pop("groups")
        routed = process_routing(auto, "fit", **others)
        score, split = dict(routed.scorer.score), {**routed.splitter.split, **own}
    else:
        unknown = sorted(set(params) - {"sample_weight", "groups"})
        if unknown:
            raise TypeError(
                f"{type(auto).__name__}.fit takes sample_weight and groups beside X and y; "
                f"got {', '.join(unknown)}. What a splitter or a scorer of your own needs is "
                "passed on under sklearn.set_config(enable_metadata_routing=True)."
            )
        score = {"sample_weight": weight} if accepts_sample_weight(scorer, weight) else {}
        split = {"groups": params.get("groups")}
    return Bunch(estimator=Bunch(fit=fit), scorer=Bunch(score=score), splitter=Bunch(split=split))


def without_routing():
    """Turn metadata routing off: pipelines of ours are given what they take by its name."""
    return config_context(enable_metadata_routing=False)


class RoutedScorer:
    """A scorer that is called with what it requested, while the pipelines know no routing.

    Parameters
    ----------
    scorer : callable
    """

    def __init__(self, scorer):
        self.scorer = scorer

    @classmethod
    def of(cls, scorer):
        """Give the scorer as it is, or wrapped where the user routes metadata."""
        return cls(scorer) if routing_is_on() else scorer

    def __call__(self, estimator, X, y, **params):
        with config_context(enable_metadata_routing=True):
            return self.scorer(estimator, X, y, **params)
