"""What an import of others' results gives.

Scores of others were measured on all rows of a dataset, with other folds: they go to a table of
their own, at fidelity ``"full"``, and never mix with what the package measured itself.
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from ..knowledge import FamilyTable, KnowledgeBase, PerformanceTable, Status, exclusion

__all__ = ["FIDELITY", "Imported", "dense_base"]

FIDELITY = "full"


@dataclass(frozen=True)
class Imported:
    """What an import gave, and what it left behind.

    Parameters
    ----------
    base : KnowledgeBase
    dropped : mapping of str to int
        Settings (or evaluations) without a counterpart in the catalogue, by reason.
    excluded : mapping of str to str
        Datasets left out because they are copies of scikit-learn's own, by name.
    """

    base: KnowledgeBase
    dropped: dict = field(default_factory=Counter)
    excluded: dict = field(default_factory=dict)

    def __str__(self):
        lines = [str(self.base)]
        if self.excluded:
            lines.append(f"excluded as copies of scikit-learn's own datasets: {self.excluded}")
        lines += [f"dropped {n:,}: {why}" for why, n in Counter(self.dropped).most_common()]
        return "\n".join(lines)


def dense_base(tasks, configurations, scores, seconds, metafeatures, source, dropped, metric):
    """Make a base of one dense table.

    Parameters
    ----------
    tasks : sequence of Task
    configurations : sequence of Configuration
    scores, seconds : ndarray of shape (n_tasks, n_configurations)
        NaN where not measured.
    metafeatures : mapping of str to mapping of str to float
        By task id.
    source : Source
    dropped : Counter
    metric : str

    Returns
    -------
    Imported
        Without the datasets that scikit-learn ships.
    """
    excluded, keep = {}, []
    for i, task in enumerate(tasks):
        shape = (task.n_rows, task.n_features, task.n_classes)
        name = exclusion(task.name, task.openml_id, shape, task.kind)
        if name:
            excluded[task.name] = name
        elif np.isfinite(scores[i]).any():
            keep.append(i)
    # Two settings may mean the same configuration: the better measured one stays.
    columns = {}
    for j in np.argsort(-np.isfinite(scores).sum(axis=0), kind="stable"):
        columns.setdefault(configurations[j].id, j)
    chosen = sorted(columns.values())
    tasks = [tasks[i] for i in keep]
    tasks = FamilyTable(tasks).apply(tasks)
    scores = scores[np.ix_(keep, chosen)].astype(float)
    seconds = seconds[np.ix_(keep, chosen)].astype(float)
    names = tuple(dict.fromkeys(name for t in tasks for name in metafeatures.get(t.id, ())))
    features = [[metafeatures.get(t.id, {}).get(name, np.nan) for name in names] for t in tasks]
    status = np.where(np.isfinite(scores), Status.ok, Status.missing).astype(np.uint8)
    kind = tasks[0].kind if tasks else "classification"
    arrays = {
        "status": status,
        "origin": np.zeros_like(status),
        "machine": np.zeros_like(status),
        "seconds": np.where(status == Status.ok, seconds, np.nan),
        "mean:" + metric: scores,
        "metafeatures": np.array(features, dtype=float).reshape(len(tasks), len(names)),
    }
    table = PerformanceTable(
        kind,
        tasks,
        [configurations[j] for j in chosen],
        arrays,
        names,
        FIDELITY,
        (source.name,),
    )
    base = KnowledgeBase({(kind, FIDELITY): table}, sources=[source])
    return Imported(base, dropped, excluded)
