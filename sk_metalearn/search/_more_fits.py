"""Further fits of candidates that the search has chosen, on the workers of the search."""

from contextlib import nullcontext

from ..evaluation import one_thread

__all__ = ["fit_more", "mean_seconds", "seconds_of_folds"]


def fit_more(run, payload, jobs, expected, deadline=None, results=None):
    """Evaluate candidates on folds of a payload, as many as the time allows.

    Parameters
    ----------
    run : SearchRun
    payload : Payload
        Takes the place of that of the search.
    jobs : iterable of (Trial, int) or None
        Candidates and folds, in the order in which they begin. It is asked for the next one when
        there is room for it; None means that it is to be asked again after the next result.
    expected : callable
        ``expected(trial)`` gives the seconds that a fold of it will probably take.
    deadline : float or None, default=None
        Time of the budget's clock after which nothing runs.
    results : dict, optional
        Where to put the results.

    Returns
    -------
    dict of (int, int) to FoldResult
        By number of the candidate and fold; those that went well.
    """
    executor, clock = run.executor, run.budget.clock
    if executor.payload is not payload:
        executor.share(payload)
    jobs, running = iter(jobs), set()
    results = {} if results is None else results
    with one_thread() if executor.here else nullcontext():
        while True:
            left = None if deadline is None else deadline - clock()
            if left is not None and left <= 0:
                break
            while len(running) < executor.capacity and (wanted := next(jobs, None)) is not None:
                trial, fold = wanted
                key = trial.number, fold
                job = dict(trial.proposal.point), fold, None, None, None
                executor.submit(job, key, wall_seconds=left, expected_seconds=expected(trial))
                running.add(key)
            if not running:
                break
            done = executor.next(timeout=left)
            if done is None:
                break
            running.discard(done.key)
            if done.status == "ok" and done.value.status == "ok":
                results[done.key] = done.value
    executor.cancel(running)
    return results


def seconds_of_folds(trial):
    """Give the seconds that the folds of a candidate have taken.

    Parameters
    ----------
    trial : Trial

    Returns
    -------
    float
    """
    return sum(own.fit_seconds + own.score_seconds for own in trial.folds.values())


def mean_seconds(trial):
    """Give the seconds that a fold of a candidate has taken on average.

    Parameters
    ----------
    trial : Trial

    Returns
    -------
    float
    """
    return seconds_of_folds(trial) / len(trial.folds)
