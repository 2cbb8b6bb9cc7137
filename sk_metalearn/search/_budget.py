"""How much time a search has, and what of it is kept for its end."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["MOST_KEPT", "Budget"]

# How far beyond its budget a search may go, less than what is promised (10 % and a second),
# because a busy machine takes its time to end a process.
_GRACE_SHARE, _GRACE_SECONDS = 0.03, 0.3
# At most this share of a budget is kept for what follows the candidates.
MOST_KEPT = 0.6


@dataclass(frozen=True)
class Budget:
    """Seconds from the begin of a fit to its end.

    Parameters
    ----------
    seconds : float or None
        None: no limit.
    began : float
        Time of `clock` when the fit began.
    clock : callable, default=time.monotonic
    """

    seconds: float | None
    began: float
    clock: Callable = time.monotonic

    def deadline(self, kept=0.0):
        """Give the time after which no candidate runs, None without a limit.

        Parameters
        ----------
        kept : float, default=0.0
            Seconds kept for what follows the candidates; at most 60 % of the budget is.
        """
        if self.seconds is None:
            return None
        return self.began + self.seconds - min(kept, MOST_KEPT * self.seconds)

    def half_left(self):
        """Give the ``time.monotonic()`` at which half of what is left now is over, or infinity."""
        left = self.left()
        return math.inf if left is None else time.monotonic() + 0.5 * left

    def left(self):
        """Seconds until the budget and its grace are over, None without a limit."""
        if self.seconds is None:
            return None
        end = self.began + self.seconds * (1 + _GRACE_SHARE) + _GRACE_SECONDS
        return end - self.clock()
