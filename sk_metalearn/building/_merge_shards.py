"""From shards to a knowledge base."""

from ..exceptions import KnowledgeError
from ..knowledge import Evaluation, KnowledgeBase, Source, Status, Task
from ..spaces import CATALOGUE_VERSION, KINDS, load_pool
from ._describe import read_metafeatures
from ._openml_qualities import openml_aliases
from ._pool_further import pool_to_measure
from ._shards import read_shard, shard_files

__all__ = ["evaluations_of", "load_shards", "merge"]

_NOTE = "Scores measured by sk_metalearn.building; the datasets themselves are not passed on."
_SOURCE = "own measurements"

# With at least this share of its cells measured a configuration is of use to everyone.
COMPLETE = 0.5


def load_shards(folder, source=_SOURCE):
    """Read all shards and journals of a folder.

    Parameters
    ----------
    folder : path-like
        Where `run` measured.
    source : str, default="own measurements"
        Who measured.

    Returns
    -------
    tasks : list of Task
    evaluations : list of Evaluation
        One per cell; a cell measured twice counts once, the first good one that knows most metrics.
    provenance : dict
        Versions, limits and reference workloads of the machines.

    Raises
    ------
    KnowledgeError
        If nothing was measured there, or a shard is damaged, or one table was measured both as
        classification and as regression.
    """
    tasks, cells, machines = {}, {}, {}
    files = shard_files(folder)
    for path in files:
        for record in read_shard(path):
            if "configuration" in record:
                key = record["task"], record["configuration"], record["fidelity"]
                if key not in cells or _says_more(record, cells[key]):
                    cells[key] = record
            elif "family" in record:
                known = tasks.get(record["id"])
                if known is not None and known.kind != record["kind"]:
                    raise KnowledgeError(
                        f"{path.name} holds {record['name']!r} as {record['kind']}, and another "
                        f"shard the same table as {known.kind} ({known.name!r}). Their cells "
                        "cannot be told apart: measure the table as one of them, in a folder of "
                        "its own."
                    )
                # Few rows may lack a class: the main fidelity says how many there are.
                if record.get("fidelity", "main") == "main" or record["id"] not in tasks:
                    tasks[record["id"]] = _task(record)
            elif "machine_type" in record:
                own = machines.setdefault(record["machine_type"], {"references": [], "limits": {}})
                own["references"].append(record["references"])
                own["limits"].update(record["limits"])
                own["versions"] = record["versions"]
    if not cells:
        raise KnowledgeError(
            f"Nothing is measured in the folder {str(folder)!r}: it has {len(files)} shards or "
            "journals (*.jsonl.xz, *.jsonl) and no cell. Give the folder that "
            "'sk-metalearn kb build run' wrote to."
        )
    for own in machines.values():
        runs = own["references"]
        own["references"] = {
            name: sorted(r[name] for r in runs)[len(runs) // 2] for name in runs[0]
        }
    provenance = {"catalogue": CATALOGUE_VERSION, "machines": machines}
    return (
        list(tasks.values()),
        [evaluations_of(cell, source) for cell in cells.values()],
        provenance,
    )


def _says_more(record, other):
    """Whether a cell that was measured again knows metrics that the first does not."""
    if other["status"] != "ok":
        return True
    known = [
        sum(value is not None for value in cell["folds"][0]["metrics"].values())
        for cell in (record, other)
        if cell["status"] == "ok"
    ]
    return len(known) == 2 and known[0] > known[1]


def _task(record):
    return Task(
        id=record["id"],
        name=record["name"],
        kind=record["kind"],
        family=record["family"],
        n_rows=record["n_rows"],
        n_features=record["n_features"],
        n_classes=record["n_classes"],
        openml_id=record["openml_id"],
        source=record["origin"],
        licence=record.get("licence", ""),
        openml_task_id=record.get("openml_task_id"),
    )


def evaluations_of(cell, source=_SOURCE):
    """Give the evaluation that a cell of a shard records."""
    folds = [fold for fold in cell["folds"] if "metrics" in fold]
    status = Status[cell["status"]]

    def collect(part):
        names = dict.fromkeys(name for fold in folds for name in fold[part])
        return {name: [fold[part].get(name) for fold in folds] for name in names}

    return Evaluation(
        task=cell["task"],
        configuration=cell["configuration"],
        status=status,
        metrics=collect("metrics") if status == Status.ok else {},
        outer=collect("outer") if status == Status.ok else {},
        fit_seconds=[fold["fit_cpu"] for fold in folds],
        predict_seconds=[fold["predict_cpu"] for fold in folds],
        fidelity=cell["fidelity"],
        reason=cell["reason"],
        machine=cell["machine"],
        source=source,
        warnings=sorted({code for fold in folds for code in fold["warnings"]}),
        n_train=folds[0]["n_train"] if folds else 0,
        n_test=folds[0]["n_test"] if folds else 0,
        confusions=[fold.get("confusion", ()) for fold in folds],
    )


def merge(shards, output=None, qualities=None, source=_SOURCE, licence="", beyond_pool=False):
    """Make a knowledge base of shards.

    A configuration enters when at least half of the tasks that were measured with its pool (the
    catalogue's or the optional packages') were measured with it, at the main fidelity; the other
    fidelities have tables of their own.

    Parameters
    ----------
    shards : path-like
        Folder of the shards.
    output : path-like, optional
        File to write.
    qualities : path-like, optional
        ``openml_qualities.csv.gz``: the base then knows the OpenML ids of other versions of its
        datasets.
    source : str, default="own measurements"
        Who measured: the name under which the base keeps it.
    licence : str, default=""
        Under which the scores may be passed on. Empty: not stated.
    beyond_pool : bool, default=False
        Whether to take in also what is measured and no part of the pool.

    Returns
    -------
    KnowledgeBase
        Also written to `output`, if one is given.

    Raises
    ------
    KnowledgeError
        As `load_shards`; nothing is written then.
    """
    tasks, evaluations, provenance = load_shards(shards, source)
    kind_of = {task.id: task.kind for task in tasks}
    measured = {}
    for evaluation in evaluations:
        if evaluation.fidelity == "main":
            # A configuration of both kinds has the same id.
            key = kind_of[evaluation.task], evaluation.configuration
            measured.setdefault(key, set()).add(evaluation.task)
    pool_of = pool_to_measure if beyond_pool else load_pool
    columns = {
        kind: [
            own
            for pool in (pool_of(kind), load_pool(kind, optional=True))
            for own in _enough(pool, kind, measured)
        ]
        for kind in KINDS
    }
    kept = {(kind, c.id) for kind in KINDS for c in columns[kind]}
    base = KnowledgeBase.from_evaluations(
        tasks,
        columns,
        [e for e in evaluations if (kind_of[e.task], e.configuration) in kept],
        read_metafeatures(shards),
        aliases=() if qualities is None else openml_aliases(tasks, qualities),
        sources=[Source(source, licence, note=_NOTE)],
        provenance=provenance,
    )
    if output is not None:
        base.save(output)
    return base


def _enough(pool, kind, measured):
    """Configurations of a pool that enough of its tasks were measured with."""
    found = [(own, measured.get((kind, own.id), set())) for own in pool]
    enough = COMPLETE * len(set().union(*(tasks for _, tasks in found)))
    return [own for own, tasks in found if tasks and len(tasks) >= enough]
