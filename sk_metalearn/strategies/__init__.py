"""Ways to propose configurations: ask for proposals, tell the results."""

from ._active_testing import ActiveGreedy, ActiveTesting
from ._auto import Auto
from ._base import Context, Outcome, PastPerformance, Proposal, Record, Strategy
from ._gp import GaussianProcess
from ._grid import Grid
from ._portfolio import Portfolio
from ._quasi_random import QuasiRandom
from ._random import Random
from ._registry import STRATEGIES, get_strategy
from ._transfer_mvn import TransferMVN

__all__ = [
    "STRATEGIES",
    "ActiveGreedy",
    "ActiveTesting",
    "Auto",
    "Context",
    "GaussianProcess",
    "Grid",
    "Outcome",
    "PastPerformance",
    "Portfolio",
    "Proposal",
    "QuasiRandom",
    "Random",
    "Record",
    "Strategy",
    "TransferMVN",
    "get_strategy",
]
