"""What leaves the machine when knowledge is shared: records that can be read first.

Descriptions of tasks, meta-features and scores; never a row of anybody's data.
"""

import json
from dataclasses import replace

import numpy as np

from ..exceptions import KnowledgeError
from ..spaces import Configuration
from ._records import Evaluation, Source, Status, Task

__all__ = ["evaluations_of", "export_lines", "read_lines", "share_records"]

FORMAT = "sk_metalearn knowledge lines"


def share_records(base, anonymous=False):
    """List all that a base would share, one record after the other.

    Parameters
    ----------
    base : KnowledgeBase
    anonymous : bool, default=False
        Leave out the tasks' names, families, OpenML ids and sources, and the machines' ids.
        Related datasets still share a family, under a number.

    Yields
    ------
    dict
        In JSON types, with the key ``"record"``: ``"format"``, ``"source"``, ``"task"``,
        ``"configuration"``, ``"metafeatures"`` or ``"evaluation"``.
    """
    yield {"record": "format", "format": FORMAT, "version": 1}
    for source in base.sources:
        yield {"record": "source", **source.to_dict()}
    numbers = {}
    for task in base.tasks:
        if anonymous:
            number = numbers.setdefault(task.family, len(numbers))
            # The id begins the family's name: numbers alone would meet those of others.
            task = replace(
                task,
                name=f"task {task.id}",
                family=f"anonymous {next(iter(base.tasks)).id}-{number}",
                openml_id=None,
                openml_task_id=None,
                source="",
            )
        yield {"record": "task", **task.to_dict()}
    known, described = set(), set()
    for kind in base.kinds:
        for fidelity in base.fidelities(kind):
            table = base.table(kind, fidelity)
            for own in table.configurations:
                if own.id not in known:
                    known.add(own.id)
                    yield {"record": "configuration", **own.to_dict()}
            for task, row in zip(table.tasks, table.metafeatures, strict=True):
                values = dict(zip(table.metafeature_names, row.tolist(), strict=True))
                values = {name: value for name, value in values.items() if np.isfinite(value)}
                if values and task.id not in described:
                    described.add(task.id)
                    yield {"record": "metafeatures", "task": task.id, "values": values}
            for evaluation in evaluations_of(table):
                if anonymous:
                    evaluation = replace(evaluation, machine="")
                record = {key: value for key, value in evaluation.to_dict().items() if value}
                yield {"record": "evaluation", **record}


def evaluations_of(table):
    """Give the evaluations that a table holds; of some metrics it has the mean over folds only.

    Parameters
    ----------
    table : PerformanceTable

    Yields
    ------
    Evaluation
    """
    status = table.status
    seeds = table.array("seed") if "seed" in table.array_names() else np.zeros_like(status)
    for i, j in zip(*np.nonzero(status != Status.missing), strict=True):
        metrics, outer = {}, {}
        for metric in table.metrics:
            mean = table.scores(metric)[i, j]
            values = [mean] if np.isfinite(mean) else []
            if metric in table.fold_metrics:
                folds = table.fold_scores(metric)[i, j]
                known = np.flatnonzero(np.isfinite(folds))
                values = folds[: known[-1] + 1].tolist() if len(known) else []
                # Cells of fewer folds end in NaN; so does a cell whose last fold is undefined.
                if values and not np.isfinite(mean) and np.isfinite(values).all():
                    values.append(np.nan)
            if values:
                metrics[metric] = values
        for metric in table.outer_metrics:
            value = table.scores("outer:" + metric)[i, j]
            if np.isfinite(value):
                outer[metric] = [value]
        seconds = table.seconds[i, j]
        yield Evaluation(
            task=table.tasks[i].id,
            configuration=table.configurations[j].id,
            status=status[i, j],
            metrics=metrics,
            outer=outer,
            fit_seconds=(seconds,) if np.isfinite(seconds) else (),
            fidelity=table.fidelity,
            seed=int(seeds[i, j]),
            machine=table.machines[table.machine[i, j]],
            source=table.sources[table.origin[i, j]],
        )


def export_lines(base, path, anonymous=False):
    """Write the records to a file of JSON lines.

    Parameters
    ----------
    base : KnowledgeBase
    path : path-like
    anonymous : bool, default=False

    Returns
    -------
    int
        Number of lines.
    """
    number = 0
    with open(path, "w", encoding="utf-8") as file:
        for number, record in enumerate(share_records(base, anonymous), start=1):  # noqa: B007
            file.write(json.dumps(record, separators=(",", ":"), allow_nan=False) + "\n")
    return number


def read_lines(path):
    """Read a knowledge base from a file of JSON lines.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    KnowledgeBase

    Raises
    ------
    KnowledgeError
        If a line cannot be read; the message gives its number.
    """
    from ._base import KnowledgeBase

    found = {"source": [], "task": [], "configuration": [], "evaluation": []}
    readers = {
        "source": Source.from_dict,
        "task": Task.from_dict,
        "configuration": Configuration.from_dict,
        "evaluation": Evaluation.from_dict,
    }
    metafeatures = {}
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                record = json.loads(line.decode())
                kind = record.pop("record")
                if kind == "metafeatures":
                    metafeatures[record["task"]] = record["values"]
                elif kind == "format":
                    if record != {"format": FORMAT, "version": 1}:
                        raise KnowledgeError(f"unknown format {record}")
                else:
                    found[kind].append(readers[kind](record))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise KnowledgeError(f"{str(path)!r}, line {number}: {error}") from error
    return KnowledgeBase.from_evaluations(
        found["task"],
        found["configuration"],
        found["evaluation"],
        metafeatures,
        sources=found["source"],
    )
