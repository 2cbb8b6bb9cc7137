"""Ways to propose configurations: ask for proposals, tell the results."""

from ._ablr import AdaptiveBayesianLinearRegression
from ._active_greedy import ActiveGreedy
from ._active_testing import ActiveTesting
from ._auto import Auto
from ._average_rank import AverageRank
from ._base import Context, Outcome, PastPerformance, Proposal, Record, Strategy
from ._copula_prior import CopulaPrior
from ._evolution import Evolution
from ._forest import Forest
from ._gp import GaussianProcess
from ._gradient import GradientSearch
from ._grid import Grid
from ._likeness import similar_tasks
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
from ._registry import STRATEGIES, get_strategy
from ._rgpe import RankingEnsemble
from ._taf import TransferAcquisition
from ._transfer_mvn import TransferMVN
from ._tst import TransferSurrogateRanking

__all__ = [
    "MAML",
    "SNAIL",
    "STRATEGIES",
    "ActiveGreedy",
    "ActiveTesting",
    "AdaptiveBayesianLinearRegression",
    "Auto",
    "AverageRank",
    "Context",
    "CopulaPrior",
    "Evolution",
    "Forest",
    "GaussianProcess",
    "GradientSearch",
    "Grid",
    "LowRank",
    "Matching",
    "Memory",
    "MetaNetwork",
    "NearestDatasets",
    "NeuralNetwork",
    "Outcome",
    "PastPerformance",
    "Portfolio",
    "Proposal",
    "Prototypical",
    "QuasiRandom",
    "Random",
    "RankingEnsemble",
    "Record",
    "Reptile",
    "Siamese",
    "Strategy",
    "TransferAcquisition",
    "TransferMVN",
    "TransferSurrogateRanking",
    "get_strategy",
    "similar_tasks",
]
