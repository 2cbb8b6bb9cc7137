"""Strategies by name; each is imported when it is first asked for."""

import importlib
from dataclasses import fields

from ..exceptions import StrategyError
from ._strategy import Strategy

__all__ = ["IN_FRONT", "STRATEGIES", "get_strategy", "strategy_class"]

# Those that the documentation puts in front; the others are for comparisons.
IN_FRONT = ("auto", "random", "grid", "quasi_random", "gp", "portfolio")

# Module and class of each name.
STRATEGIES = {
    "auto": "_auto_strategy:Auto",
    "random": "_sampling:Random",
    "grid": "_sampling:Grid",
    "quasi_random": "_sampling:QuasiRandom",
    "gp": "_gp:GaussianProcess",
    "portfolio": "_portfolio:Portfolio",
    "gradient": "_gp:GradientSearch",
    "forest": "_ensembles:Forest",
    "neural": "_ensembles:NeuralNetwork",
    "evolution": "_evolution:Evolution",
    "average_rank": "_portfolio:AverageRank",
    "nearest": "_portfolio:NearestDatasets",
    "active_testing": "_active_testing:ActiveTesting",
    "active_greedy": "_active_testing:ActiveGreedy",
    "transfer_mvn": "_covariance:TransferMVN",
    "low_rank": "_covariance:LowRank",
    "tst": "_task_models:TransferSurrogateRanking",
    "taf": "_task_models:TransferAcquisition",
    "rgpe": "_task_models:RankingEnsemble",
    "ablr": "_learned_prior:AdaptiveBayesianLinearRegression",
    "copula_prior": "_learned_prior:CopulaPrior",
    "matching": "_learned_attention:Matching",
    "siamese": "_learned_attention:Siamese",
    "prototypical": "_learned_attention:Prototypical",
    "memory": "_learned_attention:Memory",
    "meta_network": "_learned_mixture:MetaNetwork",
    "maml": "_learned_surrogate:MAML",
    "reptile": "_learned_surrogate:Reptile",
    "snail": "_learned_surrogate:SNAIL",
}


def strategy_class(name):
    """Import the class of a strategy.

    Parameters
    ----------
    name : str
        One of `STRATEGIES`.

    Returns
    -------
    type
        The class, a subclass of `Strategy`.

    Raises
    ------
    StrategyError
        If there is no strategy of that name; the message lists those there are.
    """
    if not isinstance(name, str) or name not in STRATEGIES:
        others = sorted(set(STRATEGIES) - set(IN_FRONT))
        raise StrategyError(
            f"Unknown strategy {name!r}; use one of {', '.join(IN_FRONT)}, an instance of "
            f"Strategy, or one of the special methods {', '.join(others)}."
        )
    module, _, attribute = STRATEGIES[name].partition(":")
    return getattr(importlib.import_module(f".{module}", __package__), attribute)


def get_strategy(strategy, **options):
    """Look up a strategy by name.

    Parameters
    ----------
    strategy : str or Strategy
        A name, or an instance, which is returned as it is.
    **options
        Options of the strategy, if a name is given.

    Returns
    -------
    Strategy
        A new strategy, or the instance given; not started.

    Raises
    ------
    StrategyError
        If the name or an option is unknown; the message lists what is allowed.

    Examples
    --------
    >>> from sk_metalearn.strategies import get_strategy
    >>> get_strategy("gp", kernel="rbf").kernel
    'rbf'
    """
    if isinstance(strategy, Strategy):
        if options:
            raise StrategyError(
                f"Options go with the name of a strategy; got the instance {strategy!r} and the "
                f"options {sorted(options)}. Set them when making the instance."
            )
        return strategy
    kind = strategy_class(strategy)
    allowed = {field.name for field in fields(kind)}
    unknown = set(options) - allowed
    if unknown:
        raise StrategyError(
            f"The strategy {strategy!r} has no option {sorted(unknown)}; its options are "
            f"{sorted(allowed)}."
        )
    return kind(**options)
