"""Measure a share of the cells again and compare: are the scores kept reproducible?"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from ..exceptions import KnowledgeError
from ..spaces import KINDS, load_pool
from ._machine import machine_id
from ._measure import measure_fold
from ._pool_further import pool_to_measure
from ._shards import read_shard, shard_files
from ._tasks import list_tasks, prepare

__all__ = ["Verification", "verify"]

# A score counts as the same within these differences where the machine is another one.
TOLERANCE = {"accuracy": 0.002, "r2": 0.005}


@dataclass(frozen=True)
class Verification:
    """Result of measuring cells again.

    Parameters
    ----------
    n_cells : int
        Cells measured again, one fold each.
    n_exact : int
        All metrics equal to the digits kept.
    n_close : int
        Accuracy within .002 or R2 within .005.
    other_machine : int
        Cells first measured on another type of machine.
    differing : tuple of str
        Task and configuration of the cells that are not close.
    families : Counter
        Model families of the cells measured again.
    """

    n_cells: int
    n_exact: int
    n_close: int
    other_machine: int
    differing: tuple
    families: Counter

    def __str__(self):
        lines = [
            f"{self.n_cells} cells measured again, {self.other_machine} of them first on another "
            f"type of machine: {self.n_exact} exact, {self.n_close} close",
            *(f"  differs: {cell}" for cell in self.differing),
        ]
        return "\n".join(lines)


def verify(data, shards, share=0.01, seed=0):
    """Measure a random share of the good cells again, one fold of each.

    Parameters
    ----------
    data : path-like
        Folder of datasets.
    shards : path-like
        Folder of the shards.
    share : float, default=0.01
        Share of the cells, in (0, 1].
    seed : int, default=0
        Draws the cells and the fold of each.

    Returns
    -------
    Verification
        How many of them came out the same; it prints as a few lines.

    Raises
    ------
    KnowledgeError
        If `share` is out of range or no cell can be measured again.
    """
    if not 0 < share <= 1:
        raise KnowledgeError(f"share must lie in (0, 1]; got {share}.")
    cells = [
        record
        for path in shard_files(shards)
        for record in read_shard(path)
        if record.get("status") == "ok"
    ]
    sources = {}
    for source in list_tasks(data):
        try:
            sources[prepare(source).id] = source
        except KnowledgeError:
            continue
    cells = [cell for cell in cells if cell["task"] in sources]
    if not cells:
        raise KnowledgeError("None of the cells belongs to a dataset of the folder.")
    pools = [pool for kind in KINDS for pool in (pool_to_measure(kind), load_pool(kind, True))]
    configurations = {c.id: c for pool in pools for c in pool}
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(cells), size=max(1, round(share * len(cells))), replace=False)
    exact = close = elsewhere = 0
    differing, families = [], Counter()
    # Sorted by task, so that each dataset is read once.
    for cell in sorted((cells[i] for i in chosen), key=lambda cell: cell["task"]):
        before = cell["folds"][0]
        configuration = configurations[cell["configuration"]]
        source = sources[cell["task"]]
        after = measure_fold(source, cell["fidelity"], configuration.to_dict(), before["fold"])
        metric = "accuracy" if source.kind == "classification" else "r2"
        difference = abs(after["metrics"][metric] - before["metrics"][metric])
        exact += after["metrics"] == before["metrics"]
        elsewhere += cell["machine"] != machine_id()
        families[configuration.family] += 1
        if difference <= TOLERANCE[metric]:
            close += 1
        else:
            differing.append(f"{source.name}, {configuration} ({metric} by {difference:.4f})")
    return Verification(len(chosen), exact, close, elsewhere, tuple(differing), families)
