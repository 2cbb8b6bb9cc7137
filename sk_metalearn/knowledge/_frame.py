"""A table of evaluations as a data frame."""

from ..exceptions import import_optional
from ._records import Status

__all__ = ["frame_of"]


def frame_of(table):
    """Give the measured cells of a table as a pandas data frame.

    Parameters
    ----------
    table : PerformanceTable

    Returns
    -------
    pandas.DataFrame
    """
    pandas = import_optional("pandas", "pandas", "KnowledgeBase.to_frame")
    cells = table.cells()
    tasks = [table.tasks[i] for i in cells.rows]
    columns = [table.configurations[j] for j in cells.columns]
    data = {
        "task": [task.id for task in tasks],
        "name": [task.name for task in tasks],
        "family": [task.family for task in tasks],
        "configuration": [own.id for own in columns],
        "model": [own.family for own in columns],
        "source": [table.sources[k] for k in cells.values["origin"]],
        "status": [Status(code).name for code in cells.values["status"]],
        "seconds": cells.values["seconds"],
    }
    for metric in table.metrics:
        data[metric] = cells.values["mean:" + metric]
    return pandas.DataFrame(data)
