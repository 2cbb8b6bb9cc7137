"""Strategies by name."""

from dataclasses import fields

from ..exceptions import StrategyError
from ._ablr import AdaptiveBayesianLinearRegression
from ._active_greedy import ActiveGreedy
from ._active_testing import ActiveTesting
from ._auto import Auto
from ._average_rank import AverageRank
from ._base import Strategy
from ._copula_prior import CopulaPrior
from ._evolution import Evolution
from ._forest import Forest
from ._gp import GaussianProcess
from ._gradient import GradientSearch
from ._grid import Grid
from ._low_rank import LowRank
from ._meta_matching import Matching
from ._meta_memory import Memory
from ._meta_network import MetaNetwork
from ._meta_prototypical import Prototypical
from ._meta_siamese import Siamese
from ._meta_surrogate import MAML, SNAIL, Reptile
from ._nearest import NearestDatasets
from ._neural import NeuralNetwork
from ._portfolio import Portfolio
from ._quasi_random import QuasiRandom
from ._random import Random
from ._rgpe import RankingEnsemble
from ._taf import TransferAcquisition
from ._transfer_mvn import TransferMVN
from ._tst import TransferSurrogateRanking

__all__ = ["STRATEGIES", "get_strategy"]

STRATEGIES = {
    "auto": Auto,
    "grid": Grid,
    "random": Random,
    "quasi_random": QuasiRandom,
    "gp": GaussianProcess,
    "portfolio": Portfolio,
    "active_testing": ActiveTesting,
    "active_greedy": ActiveGreedy,
    "transfer_mvn": TransferMVN,
    "forest": Forest,
    "neural": NeuralNetwork,
    "evolution": Evolution,
    "gradient": GradientSearch,
    "nearest": NearestDatasets,
    "average_rank": AverageRank,
    "low_rank": LowRank,
    "tst": TransferSurrogateRanking,
    "rgpe": RankingEnsemble,
    "taf": TransferAcquisition,
    "ablr": AdaptiveBayesianLinearRegression,
    "copula_prior": CopulaPrior,
    "matching": Matching,
    "prototypical": Prototypical,
    "siamese": Siamese,
    "memory": Memory,
    "meta_network": MetaNetwork,
    "maml": MAML,
    "reptile": Reptile,
    "snail": SNAIL,
}


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
        Not started.

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
    if not isinstance(strategy, str) or strategy not in STRATEGIES:
        raise StrategyError(
            f"Unknown strategy {strategy!r}; use one of {', '.join(sorted(STRATEGIES))}, or an "
            "instance of Strategy."
        )
    kind = STRATEGIES[strategy]
    allowed = {field.name for field in fields(kind)}
    unknown = set(options) - allowed
    if unknown:
        raise StrategyError(
            f"The strategy {strategy!r} has no option {sorted(unknown)}; its options are "
            f"{sorted(allowed)}."
        )
    return kind(**options)
