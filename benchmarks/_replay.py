"""A search replayed on the recorded scores of a task."""

import numpy as np

from sk_metalearn.spaces import to_point
from sk_metalearn.strategies import Context, Outcome, get_strategy


def replay(configurations, scores, kind, past, metafeatures, n_evaluations, strategy="auto"):
    """Give the places of the configurations in the order in which they are asked for."""
    context = Context(
        candidates=[to_point(own) for own in configurations],
        kind=kind,
        past=past,
        metafeatures=metafeatures,
        n_evaluations=n_evaluations,
        seed=0,
    )
    searcher, order = get_strategy(strategy).start(context), []
    while len(order) < n_evaluations:
        (proposal,) = searcher.ask()
        order.append(proposal.candidate)
        searcher.tell([Outcome(proposal, float(scores[order[-1]]), seconds=1.0)])
    return np.array(order)


def without(table, family):
    """Leave a family of datasets out."""
    return table.take(rows=[i for i, task in enumerate(table.tasks) if task.family != family])
