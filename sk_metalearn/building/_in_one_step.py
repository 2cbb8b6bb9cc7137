"""A knowledge base of a folder of tables in one call."""

import os
from pathlib import Path

from ..spaces import KINDS
from ._describe import describe
from ._merge_shards import merge
from ._run import run

__all__ = ["build_base"]


def build_base(
    data,
    output,
    *,
    kinds=None,
    n_workers=None,
    time_limit=None,
    source="own measurements",
    licence="",
):
    """Measure the pool on the datasets of a folder, describe them, and make a knowledge base.

    What is measured is kept in a folder beside the output, ``<output>.shards``, until it is done,
    so that the call can be stopped at any moment and made again. The folder may then be removed.

    Parameters
    ----------
    data : path-like
        Folder of datasets, see `list_tasks`.
    output : path-like
        File of the knowledge base, ``*.npz``.
    kinds : sequence of {"classification", "regression"} or None, default=None
        Which tasks; None: both.
    n_workers : int, default=None
        Worker processes; the number of processors by default.
    time_limit : float, default=None
        Seconds after which no more is begun.
    source : str, default="own measurements"
        Who measured.
    licence : str, default=""
        Under which the scores may be passed on.

    Returns
    -------
    KnowledgeBase or None
        None where the time was over before all was measured.

    Raises
    ------
    KnowledgeError
        If the folder holds no dataset.
    """
    shards = Path(f"{os.fspath(output)}.shards")
    done = run(data, shards, kinds=kinds or KINDS, n_workers=n_workers, time_limit=time_limit)
    if not done:
        return None
    describe(data, shards)
    return merge(shards, output, source=source, licence=licence)
