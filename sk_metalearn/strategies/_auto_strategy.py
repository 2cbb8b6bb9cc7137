"""The default strategy: knowledge first, then what the results themselves say."""

from dataclasses import dataclass

from ._alike import task_prior
from ._covariance import Posterior, TransferMVN
from ._portfolio import Portfolio

__all__ = ["Auto"]


@dataclass
class Auto(TransferMVN):
    """What measures best: a portfolio, then a normal model of the candidates, then the space.

    The first evaluations follow the greedy portfolio, with the estimator's default among them.
    From then on the expected improvement decides, under a multivariate normal whose mean is what
    past tasks with similar meta-features suggest and whose covariance is that of its errors on
    past tasks and of the predictions that stand in for what was not measured there. With a budget
    in seconds both count per second. Where there is an open space, every second proposal after
    `n_pool` evaluations comes from a Gaussian process that searches around the best points found
    and leaves the candidates. Without a past the process searches alone.

    Parameters
    ----------
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
    shrinkage : float, default=5.0
        The covariance is shrunk towards its diagonal by this number over the number of tasks.
    noise : float, default=0.01
        Variance of the error of an observed score, on the scale of the normal scores.
    n_portfolio : int, optional
        Evaluations before the expected improvement decides. By default 3; 2 where the past of most
        candidates is predicted: among points of one family the next result tells more than a
        third point that covers what predictions leave open.
    likeness : float, default=1.0
        How much more past tasks with similar meta-features count in the portfolio.
    n_pool : int, default=30
        Evaluations after which points outside the candidates are tried too; half the candidates
        with a past, if that is less.
    """

    n_portfolio: int | None = None
    likeness: float = 1.0
    n_pool: int = 30

    def prepare(self):
        context = self.context
        prior = task_prior(self.matrix, context.past, context.metafeatures, self.shrinkage)
        self._moments = prior
        self._posterior = Posterior(*prior, self.noise)
        first = Portfolio(cost_exponent=self.cost_exponent, likeness=self.likeness)
        self._portfolio = first.join(self)
        self._n_portfolio = self.n_portfolio
        if self._n_portfolio is None:
            self._n_portfolio = 2 if self.matrix.mostly_predicted else 3

    @property
    def n_done(self):
        """Evaluations made or under way."""
        return len(self.record.results) + len(self.record.waiting)

    def propose(self):
        if self.matrix is None:
            return super().propose()
        n_done = self.n_done
        if 1 <= n_done <= self._n_portfolio:
            for default in self.context.defaults[:2]:
                if not self.record.tried[default]:
                    return self.make(candidate=default, reason="default")
        enough = min(self.n_pool, self.matrix.known.sum() // 2)
        if self.context.space is not None and n_done >= enough and n_done % 2:
            proposal = self.fallback.propose()
            if proposal is not None:
                return proposal
        return super().propose()

    def utility(self):
        if self.n_done < self._n_portfolio:
            return self._portfolio.utility()
        return super().utility()
