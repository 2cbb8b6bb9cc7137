"""What past tasks say about the candidates, and the base of the strategies that use it."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..knowledge import normal_scores
from ._lookup import get_strategy
from ._strategy import Strategy

__all__ = ["PastMatrix", "PoolStrategy", "TransferStrategy", "put_on_scale"]


@dataclass
class PastMatrix:
    """The performance of candidates on past tasks, cleaned and on common scales.

    Parameters
    ----------
    past : PastPerformance
        As the context holds it.
    min_tasks : int, default=3
        A candidate measured on fewer tasks counts as unknown.

    Attributes
    ----------
    known : ndarray of shape (n_candidates,), dtype bool
        Candidates about which the past says something.
    rows : ndarray of shape (n_tasks_kept,)
        Tasks kept: those with at least two different scores.
    """

    past: "PastPerformance"  # noqa: F821
    min_tasks: int = 3

    def __post_init__(self):
        scores = np.asarray(self.past.scores, dtype=float)
        scores = np.where(np.isfinite(scores), scores, np.nan)
        self.known = np.isfinite(scores).sum(axis=0) >= min(self.min_tasks, len(scores))
        self.known &= np.isfinite(scores).any(axis=0) if len(scores) else False
        scores = np.where(self.known, scores, np.nan)
        some = np.isfinite(scores).any(axis=1)
        low = np.where(np.isfinite(scores), scores, np.inf).min(axis=1, initial=np.inf)
        high = np.where(np.isfinite(scores), scores, -np.inf).max(axis=1, initial=-np.inf)
        self.rows = np.flatnonzero(some & (high > low))
        self._scores = scores[self.rows]

    @property
    def useful(self):
        """Whether anything can be learned from it."""
        return len(self.rows) > 0 and self.known.sum() > 1

    @property
    def n_tasks(self):
        return len(self.rows)

    @property
    def tasks(self):
        """Names of the tasks kept."""
        names = self.past.tasks
        return [names[i] if names else f"task {i}" for i in self.rows]

    @cached_property
    def regret(self):
        """Share of the way from the best to the dummy (or worst) score lost, in [0, 1].

        Cells without a measurement are filled with what the task and the candidate suggest;
        unknown candidates have 1.
        """
        best = np.nanmax(self._scores, axis=1, keepdims=True)
        worst = np.nanmin(self._scores, axis=1, keepdims=True)
        if self.past.baseline is not None:
            base = np.asarray(self.past.baseline, dtype=float)[self.rows, None]
            worst = np.where(np.isfinite(base) & (base < best), base, worst)
        regret = np.clip((best - self._scores) / (best - worst), 0.0, 1.0)
        regret = np.clip(fill(regret), 0.0, 1.0)
        regret[:, ~self.known] = 1.0
        return regret

    @cached_property
    def normal(self):
        """Normal scores of the ranks per task, filled like `regret`; unknown candidates have 0."""
        normal = fill(normal_scores(self._scores))
        normal[:, ~self.known] = 0.0
        return normal

    @cached_property
    def uncertainty(self):
        """Covariance of the errors of the predicted cells, in units of the normal scores."""
        if self.past.spread is None:
            return 0.0
        spread = np.asarray(self.past.spread, dtype=float)[self.rows]
        scale = np.nanstd(self._scores, axis=1, keepdims=True)
        variance = np.where(np.isfinite(spread), spread / scale, 0.0) ** 2
        deviation = np.sqrt(np.minimum(variance, 4.0).mean(axis=0))
        if self.past.correlation is None:
            return np.diag(deviation**2)
        return deviation[:, None] * self.past.correlation * deviation

    @property
    def mostly_predicted(self):
        """Whether more cells were predicted than measured."""
        if self.past.spread is None:
            return False
        spread = np.asarray(self.past.spread, dtype=float)
        return (spread > 0).sum() > (spread == 0).sum()

    @cached_property
    def seconds(self):
        """Relative seconds of each candidate: geometric mean over tasks, 1 for a median one."""
        n = len(self.known)
        if self.past.seconds is None:
            return np.ones(n)
        seconds = np.asarray(self.past.seconds, dtype=float)
        with np.errstate(invalid="ignore", divide="ignore"):
            logs = np.log(np.where(seconds > 0, seconds, np.nan))
        measured = np.isfinite(logs).any(axis=1)
        if not measured.any():
            return np.ones(n)
        logs = fill(logs[measured] - np.nanmedian(logs[measured], axis=1, keepdims=True))
        return np.exp(logs.mean(axis=0))

    def moments(self, shrinkage=5.0, floor=0.05, errors=None):
        """Mean and shrunk covariance of the normal scores of the candidates.

        Parameters
        ----------
        shrinkage : float, default=5.0
            The weight of the diagonal is this number divided by the number of tasks.
        floor : float, default=0.05
            Smallest weight of the diagonal.
        errors : ndarray of shape (n_tasks_kept, n_candidates), optional
            Errors of a better prediction than the mean, whose covariance is wanted.

        Returns
        -------
        mean : ndarray of shape (n_candidates,)
            Over the past tasks.
        covariance : ndarray of shape (n_candidates, n_candidates)
            Between candidates, over the past tasks.
        """
        mean = self.normal.mean(axis=0)
        centred = self.normal - mean if errors is None else errors
        covariance = centred.T @ centred / max(len(centred) - 1, 1)
        weight = min(1.0, max(floor, shrinkage / len(centred)))
        diagonal = np.diag(covariance).copy()
        # Unknown candidates: no mean, the spread of a typical one, no covariance.
        diagonal[~self.known] = diagonal[self.known].mean()
        covariance *= 1 - weight
        np.fill_diagonal(covariance, diagonal + 1e-6)
        covariance += self.uncertainty
        return mean, covariance


def fill(values, n_components=5, n_rounds=3):
    """Fill NaN cells with a low-rank estimate around row and column means.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        At least one finite value in every row; a column may have none.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        Without NaN.
    """
    missing = ~np.isfinite(values)
    if not missing.any():
        return values.copy()
    seen = np.where(missing, 0.0, values)
    count = (~missing).sum(axis=0)
    column = seen.sum(axis=0) / np.maximum(count, 1)
    column[count == 0] = column[count > 0].mean() if (count > 0).any() else 0.0
    residual = np.where(missing, 0.0, values - column)
    # A row with few cells says little about its own level.
    row = residual.sum(axis=1, keepdims=True) / ((~missing).sum(axis=1, keepdims=True) + 2.0)
    filled = np.where(missing, column + row, values)
    rank = min(n_components, *values.shape)
    for _ in range(n_rounds):
        centred = filled - column
        gram = centred @ centred.T if len(centred) <= centred.shape[1] else centred.T @ centred
        vectors = np.linalg.eigh(gram)[1][:, -rank:]
        if len(centred) <= centred.shape[1]:
            smooth = vectors @ (vectors.T @ centred)
        else:
            smooth = (centred @ vectors) @ vectors.T
        filled = np.where(missing, column + smooth, values)
    return filled


@dataclass
class PoolStrategy(Strategy):
    """Choose among the candidates known from the past; without a past do what `cold` does.

    A subclass implements `prepare`, once `matrix` is known, and `utility`. When the known
    candidates are used up, or none is known, the strategy named by `cold` goes on.

    Parameters
    ----------
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
    """

    cold: str = "gp"
    cost_exponent: float | None = None

    def begin(self):
        self.matrix, self._fallback = None, None
        past = self.context.past
        if past is None:
            return
        matrix = PastMatrix(past)
        if matrix.useful:
            self.matrix = matrix
            self._discount = self._make_discount()
            self.prepare()

    def _make_discount(self):
        exponent = self.cost_exponent
        if exponent is None:
            exponent = 0.0 if self.context.seconds is None else 1.0
        if exponent == 0.0:
            return np.ones(len(self.matrix.known))
        times = self.context.predicted_seconds
        times = self.matrix.seconds if times is None else np.asarray(times, dtype=float)
        usable = np.isfinite(times) & (times > 0)
        if not usable.any():
            return np.ones(len(times))
        typical = np.median(times[usable])
        # Below a hundredth of a typical fit, what surrounds the fit is what takes the time.
        relative = np.where(usable, np.maximum(times / typical, 0.01), 1.0)
        return relative**-exponent

    def prepare(self):
        """Compute what does not depend on the results."""

    def utility(self):
        """Rate all candidates.

        Returns
        -------
        utility : ndarray of shape (n_candidates,)
            The untried candidate where it is largest is proposed. It is multiplied with
            `self.discount` by the subclass where it is a gain.
        details : callable
            ``details(candidate)`` gives the reason and the other fields of the proposal.
        """
        raise NotImplementedError

    @property
    def discount(self):
        """Factor of a gain for the time it costs."""
        return self._discount

    def observed(self):
        """Return the candidates with results, their scores, and those still waiting.

        Returns
        -------
        indices : ndarray of shape (n_observed,), dtype int
            Candidates with results.
        scores : ndarray of shape (n_observed,)
            Their scores, higher is better.
        waiting : ndarray of shape (n_waiting,), dtype int
            Candidates whose results are awaited.
        """
        outcomes, scores = self.record.scores(only_candidates=True)
        indices = np.array([outcome.proposal.candidate for outcome in outcomes], dtype=int)
        waiting = [p.candidate for p in self.record.waiting if p.candidate is not None]
        return indices, scores, np.array(waiting, dtype=int)

    def propose(self):
        if self.matrix is not None:
            allowed = ~self.record.tried & self.matrix.known
            if allowed.any():
                utility, details = self.utility()
                candidate = int(np.argmax(np.where(allowed, utility, -np.inf)))
                return self.make(candidate=candidate, **details(candidate))
        return self.fallback.propose()

    def learn(self, outcomes):
        if self._fallback is not None:
            self._fallback.learn(outcomes)

    @property
    def fallback(self):
        """The strategy that goes on where the past says nothing."""
        if self._fallback is None:
            self._fallback = get_strategy(self.cold).join(self)
        return self._fallback


@dataclass
class TransferStrategy(PoolStrategy):
    """A pool strategy whose proposals name the fallback that made them.

    Without a past the reason ends in "(no past)"; when all candidates known from the past were
    tried it ends in "(past used up)".
    """

    def propose(self):
        if self.matrix is not None and (~self.record.tried & self.matrix.known).any():
            return super().propose()
        proposal = self.fallback.propose()
        if proposal is None:
            return None
        why = "no past" if self.matrix is None else "past used up"
        return replace(proposal, reason=f"{proposal.reason} ({why})")


def put_on_scale(scores, mean, deviation):
    """Put scores of the task at hand on the scale of the past's normal scores.

    Parameters
    ----------
    scores : ndarray of shape (n_observed,)
        Higher is better.
    mean, deviation : ndarray of shape (n_observed,)
        What the past expects of the candidates observed.

    Returns
    -------
    values : ndarray of shape (n_observed,)
        Those expected, if the scores do not differ or were not expected to.
    centre, scale : float
        ``scores = centre + scale * values``; NaN in that case.
    """
    spread = scores.std() if len(scores) else 0.0
    expected = np.sqrt((deviation**2).mean() + mean.var()) if spread else 0.0
    if expected == 0.0:
        return np.array(mean, dtype=float), np.nan, np.nan
    scale = spread / expected
    centre = scores.mean() - scale * mean.mean()
    return (scores - centre) / scale, centre, scale
