"""Ways to propose configurations: ask for proposals, tell the results.

Six strategies serve nearly everyone: ``"auto"``, ``"random"``, ``"grid"``, ``"quasi_random"``,
``"gp"`` and ``"portfolio"``. The others are used by name as well. A strategy is imported when it
is asked for, by `get_strategy` or as an attribute of this module.
"""

import importlib

from ._lookup import IN_FRONT, STRATEGIES, get_strategy, strategy_class
from ._strategy import Context, Outcome, PastPerformance, Proposal, Record, Strategy

_NAMES = {place.partition(":")[2]: name for name, place in STRATEGIES.items()}

__all__ = [
    "IN_FRONT",
    "STRATEGIES",
    "Context",
    "Outcome",
    "PastPerformance",
    "Proposal",
    "Record",
    "Strategy",
    "get_strategy",
    "similar_tasks",
    *_NAMES,
]


def __getattr__(name):
    if name == "similar_tasks":
        return importlib.import_module("._alike", __name__).similar_tasks
    if name in _NAMES:
        return strategy_class(_NAMES[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
