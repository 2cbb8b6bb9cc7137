"""Measure the pool on a folder of datasets: slice by slice, resumable, within limits."""

import os
import sys
import time
from collections import deque
from contextlib import closing, nullcontext
from dataclasses import dataclass, field

from ..evaluation import WorkerPool
from ..exceptions import KnowledgeError
from ..spaces import (
    CATALOGUE_VERSION,
    KINDS,
    SLICE,
    families,
    fidelity_pool,
    get_family,
    is_stopped_by_folds,
    load_pool,
)
from ._kept_predictions import KeptPredictions
from ._machine import machine_id, reference_seconds, versions
from ._measure import measure_fold
from ._pool_further import pool_to_measure
from ._shards import ShardWriter, read_shard, shard_files
from ._tasks import FIDELITIES, LARGE, N_FOLDS, list_tasks, prepare

__all__ = ["plan", "run"]

# CPU seconds of one fold at the main fidelity; wall seconds are a backstop at eight times
# that, so that a busy machine does not end what it only slows.
CPU_LIMIT = 10.0
_BOOSTERS = ("hist_gradient_boosting", "lightgbm", "xgboost", "catboost")
SLOW_FAMILIES = dict.fromkeys(_BOOSTERS, 20.0)
# At the other fidelities, for every family.
FIDELITY_CPU_LIMIT = 60.0
MEMORY_LIMIT = 6 * 2**30
BLOCKS = {"classification": 16, "regression": 12}
REFERENCE_EVERY = 600.0
# Loading a task counts as a worker's time, not as the candidate's.
LOADING_SLACK = 5.0

# Cheap families first: a slice is of use before its last model is measured.
_CHEAP_FIRST = (
    "dummy",
    "gaussian_nb",
    "bernoulli_nb",
    "ridge",
    "bayesian_ridge",
    "elastic_net",
    "lda",
    "qda",
    "decision_tree",
    "k_neighbors",
    "linear_svc",
    "linear_svr",
    "logistic_regression",
    "huber",
    "kernel_ridge",
    "svm",
    "extra_trees",
    "random_forest",
    "adaboost",
    "mlp",
    "gaussian_process",
    *_BOOSTERS,
)


@dataclass
class _Cell:
    source: object
    task: str
    configuration: object
    limit: float
    folds: list = field(default_factory=list)
    running: int = 0


def _blocks(sources, kind):
    """Deal the tasks to blocks so that each block has tasks of all sizes."""
    own = sorted((s for s in sources if s.kind == kind), key=lambda s: (s.n_rows, s.name))
    n_blocks = min(BLOCKS[kind], len(own))
    return [own[i::n_blocks] for i in range(n_blocks)]


def plan(
    sources,
    kinds=KINDS,
    slices=None,
    shard="0/1",
    optional=False,
    fidelity="main",
):
    """Order the work: a slice over all datasets before the next, kinds in turn.

    Parameters
    ----------
    sources : sequence of TaskSource
    kinds, slices, shard, optional, fidelity
        As in `run`.

    Returns
    -------
    list of (str, int, int, list of TaskSource)
        Kind, slice, block and the block's tasks of each shard that is this machine's part.
    """
    part, parts = _part(shard)
    if fidelity != "main":
        sources = [source for source in sources if source.n_rows > LARGE]
    pools = {kind: _pool(kind, optional, fidelity) for kind in kinds}
    n_slices = {kind: -(-len(pool) // SLICE) for kind, pool in pools.items()}
    shards = _shards(sources, kinds, slices, n_slices)
    return [s for i, s in enumerate(shards) if i % parts == part]


def _pool(kind, optional, fidelity):
    if fidelity != "main":
        return fidelity_pool(kind)
    return load_pool(kind, optional=True) if optional else pool_to_measure(kind)


def _shards(sources, kinds, slices, n_slices):
    for number in range(max(n_slices.values())):
        if slices is not None and number not in slices:
            continue
        blocks = {kind: _blocks(sources, kind) if number < n_slices[kind] else [] for kind in kinds}
        for block in range(max(map(len, blocks.values()), default=0)):
            for kind in kinds:
                if block < len(blocks[kind]):
                    yield kind, number, block, blocks[kind][block]


def run(
    data,
    output,
    *,
    kinds=KINDS,
    slices=None,
    optional=False,
    fidelity="main",
    only=None,
    again=False,
    keep=None,
    shard="0/1",
    n_workers=None,
    time_limit=None,
    niceness=10,
    progress=True,
):
    """Measure the pool on the datasets of a folder.

    What a journal or shard in `output` holds already is not measured again; the run can be killed
    at any moment and called again.

    Parameters
    ----------
    data : path-like
        Folder of datasets, see `list_tasks`.
    output : path-like
        Folder of the shards.
    kinds : sequence of {"classification", "regression"}
    slices : sequence of int, optional
        Slices of the pool; all by default.
    optional : bool, default=False
        Whether to measure the pool of the optional packages (LightGBM, XGBoost, CatBoost) instead.
    fidelity : {"small", "main", "large"}, default="main"
        At most 500, 2,000 or 10,000 rows. ``"small"`` and ``"large"`` measure 24 fixed
        configurations on the datasets of more than 4,000 rows.
    only : sequence of str, optional
        Names of the model families to measure; all by default.
    again : bool, default=False
        Whether to measure once more what crashed, and classifiers without probabilities whose log
        loss is not known. What was recorded first stays; `merge` takes what is good and says most.
    keep : path-like, optional
        File for what the configurations predict, see `KeptPredictions`. Cells whose predictions
        it does not hold are measured, too.
    shard : str, default="0/1"
        ``"i/N"``: this machine's part, the i-th of N (from 0).
    n_workers : int, optional
        Worker processes; the number of processors by default.
    time_limit : float, optional
        Seconds after which no more is begun.
    niceness : int, default=10
        Added to the workers' niceness.
    progress : bool, default=True
        Whether to report to standard error.

    Returns
    -------
    bool
        Whether everything asked for is measured.

    Raises
    ------
    KnowledgeError
        If the folder holds no dataset or one that cannot be read, `kinds` or `fidelity` is none
        of those there are, `shard` is not ``"i/N"``, or `slices` or `optional` is given with
        another fidelity than ``"main"``.
    """
    unknown = set(kinds) - set(KINDS)
    if unknown or not kinds:
        raise KnowledgeError(f"kinds are some of {list(KINDS)}; got {list(kinds)}.")
    if fidelity not in FIDELITIES:
        raise KnowledgeError(f"fidelity must be one of {list(FIDELITIES)}; got {fidelity!r}.")
    if fidelity != "main" and (optional or slices is not None):
        raise KnowledgeError(
            f"fidelity={fidelity!r} measures {len(fidelity_pool(kinds[0]))} fixed configurations; "
            f"slices and optional choose among those of fidelity='main'."
        )
    if optional:
        for family in families(kinds[0], optional=True):
            if only is None or family.name in only:
                _ = family.estimator_class  # says what is not installed
    work = plan(list_tasks(data), kinds, slices, shard, optional, fidelity)
    kept = None if keep is None else KeptPredictions(keep)
    done = _done(output, again, kept)
    started = time.monotonic()
    with (
        WorkerPool(n_workers or os.cpu_count() or 1, niceness=niceness) as workers,
        nullcontext() if kept is None else closing(kept),
    ):
        builder = _Builder(workers, fidelity, done, started, time_limit, progress, len(work), kept)
        for kind, number, block, members in work:
            if builder.out_of_time():
                return False
            part = "optional" if optional else "slice" if fidelity == "main" else fidelity
            name = f"{kind}-{part}{number:02d}-block{block:02d}"
            pool = _pool(kind, optional, fidelity)
            pool_slice = [
                own
                for own in pool[number * SLICE : (number + 1) * SLICE]
                if only is None or own.family in only
            ]
            if not builder.measure(output, name, kind, pool_slice, members):
                return False
    return True


def _part(shard):
    try:
        part, parts = (int(number) for number in shard.split("/"))
        if not 0 <= part < parts:
            raise ValueError
    except ValueError:
        raise KnowledgeError(
            f"shard must be 'i/N' with 0 <= i < N, such as '0/4'; got {shard!r}."
        ) from None
    return part, parts


def _done(output, again, kept):
    held, done = None if kept is None else kept.held(), set()
    for path in shard_files(output):
        for record in read_shard(path):
            if "configuration" not in record:
                continue
            key = record["task"], record["configuration"], record["fidelity"]
            lost = held is not None and record["status"] == "ok" and key not in held
            if not lost and not (again and _says_too_little(record)):
                done.add(key)
    return done


def _says_too_little(record):
    """Whether a cell crashed, or is of a time when decision values did not become probabilities."""
    if record["status"] == "crashed":
        return True
    if record["status"] != "ok" or any("without" in fold for fold in record["folds"]):
        return False
    return record["folds"][0]["metrics"].get("neg_log_loss", 0.0) is None


def _effort(cell):
    """What a cell costs beside others of its family; None where that is not known beforehand."""
    family = get_family(cell.configuration.family, cell.source.kind)
    # Trees that the rows of the fold decide may be few.
    if family.effort is None or is_stopped_by_folds(cell.configuration):
        return None
    return family.effort(cell.configuration.params)


class _Builder:
    """Keeps the workers busy with the folds of one shard after the other."""

    def __init__(self, pool, fidelity, done, started, time_limit, progress, n_shards, kept):
        self.kept = kept
        self.pool, self.fidelity, self.done = pool, fidelity, done
        self.started, self.time_limit, self.progress = started, time_limit, progress
        self.n_shards, self.n_finished, self.n_cells = n_shards, 0, 0
        self.last_reference = -REFERENCE_EVERY
        self.failures = {}

    def out_of_time(self):
        spent = time.monotonic() - self.started
        return self.time_limit is not None and spent > self.time_limit

    def limit(self, family):
        if self.fidelity != "main":
            return FIDELITY_CPU_LIMIT
        return SLOW_FAMILIES.get(family, CPU_LIMIT)

    def measure(self, output, name, kind, pool_slice, members):
        """Measure one shard; give False if time ran out before its end."""
        cells = []
        known = set()
        journal = None
        for source in members:
            try:
                task = prepare(source, self.fidelity)
            except KnowledgeError as error:
                self.say(f"{source.name} left out: {error}")
                continue
            missing = [c for c in pool_slice if (task.id, c.id, self.fidelity) not in self.done]
            if not missing:
                continue
            if journal is None:
                journal = ShardWriter(output, name)
                known = {r["id"] for r in journal.records if "family" in r}
            if task.id not in known:
                journal.append({**_describe(task), "fidelity": self.fidelity})
            missing.sort(key=lambda c: _CHEAP_FIRST.index(c.family))
            for configuration in missing:
                reason = get_family(configuration.family, kind).not_applicable(
                    task.schema, configuration.preprocessing
                )
                if reason:
                    record = self.record(task.id, configuration, "not_applicable", reason, [])
                    journal.append(record)
                    continue
                limit = self.limit(configuration.family)
                cells.append(_Cell(source, task.id, configuration, limit))
        if journal is None:
            self.n_finished += 1
            return True
        complete = self.work_through(journal, deque(cells))
        if complete:
            journal.finish()
            self.n_finished += 1
            self.say(f"{name} complete ({self.n_finished}/{self.n_shards} shards)")
        else:
            journal.close()
        return complete

    def work_through(self, journal, waiting):
        jobs = deque()
        running = {}
        total, begun = len(waiting), time.monotonic()
        n_done = 0
        while waiting or jobs or running:
            while self.pool.idle and (jobs or (waiting and not self.out_of_time())):
                if not jobs:
                    cell = waiting.popleft()
                    reason = self.skipped(cell)
                    if reason:
                        self.close_cell(journal, cell, "timeout", reason)
                        n_done += 1
                        continue
                    jobs.append((cell, 0))
                cell, fold = jobs.popleft()
                ticket = self.pool.submit(
                    measure_fold,
                    cell.source,
                    self.fidelity,
                    cell.configuration.to_dict(),
                    fold,
                    self.kept is not None,
                    cpu_seconds=cell.limit + LOADING_SLACK,
                    wall_seconds=8 * cell.limit + LOADING_SLACK,
                    memory_bytes=MEMORY_LIMIT,
                )
                cell.running += 1
                running[ticket] = cell, fold
            if not running:
                break
            finished = self.pool.next()
            cell, fold = running.pop(finished.ticket)
            cell.running -= 1
            self.time_machine(journal)
            if finished.status == "ok":
                cell.folds.append({"fold": fold, **finished.value})
            else:
                status = {"died": "crashed"}.get(finished.status, finished.status)
                text = (finished.error or "the worker died").strip().splitlines()
                cell.folds.append({"fold": fold, "status": status, "reason": text[-1][:200]})
            if fold == 0 and finished.status == "ok":
                jobs.extendleft((cell, number) for number in reversed(range(1, N_FOLDS)))
            elif cell.running == 0 and not any(other is cell for other, _ in jobs):
                failed = [f for f in cell.folds if "status" in f or "invalid" in f]
                status, reason = "ok", ""
                if failed:
                    status = failed[0].get("status", "invalid")
                    reason = failed[0].get("reason") or failed[0].get("invalid", "")
                self.close_cell(journal, cell, status, reason)
                n_done += 1
                if self.progress and n_done % 100 == 0:
                    left = (time.monotonic() - begun) / n_done * (total - n_done)
                    self.say(f"{journal.name}: {n_done}/{total} cells, {left / 60:.1f} min left")
        return not waiting

    def skipped(self, cell):
        """Say which cheaper sibling's timeout already proves this cell's, if any."""
        found = _effort(cell)
        if found is None:
            return ""
        kind_of_effort, effort = found
        key = cell.task, cell.configuration.family
        for other, (kind_of_other, least) in self.failures.get(key, ()):
            if kind_of_other == kind_of_effort and least <= effort:
                return f"implied by {other}"
        return ""

    def close_cell(self, journal, cell, status, reason):
        effort = _effort(cell)
        if status == "timeout" and effort is not None:
            known = self.failures.setdefault((cell.task, cell.configuration.family), [])
            known.append((cell.configuration.id, effort))
        folds = sorted(cell.folds, key=lambda fold: fold["fold"])
        kept = [fold.pop("kept", None) for fold in folds]
        if self.kept is not None and status == "ok":
            task = prepare(cell.source, self.fidelity)
            self.kept.add(task, self.fidelity, cell.configuration.id, kept)
        journal.append(self.record(cell.task, cell.configuration, status, reason, folds))
        self.done.add((cell.task, cell.configuration.id, self.fidelity))

    def record(self, task, configuration, status, reason, folds):
        return {
            "task": task,
            "configuration": configuration.id,
            "fidelity": self.fidelity,
            "status": status,
            "reason": reason,
            "folds": folds,
            "machine": machine_id(),
        }

    def time_machine(self, journal):
        now = time.monotonic()
        fresh = not any("references" in record for record in journal.records[-600:])
        if now - self.last_reference > REFERENCE_EVERY or fresh:
            self.last_reference = now
            journal.append(
                {
                    "machine_type": machine_id(),
                    "references": reference_seconds(),
                    "versions": versions(),
                    "catalogue": CATALOGUE_VERSION,
                    "limits": self.limits(),
                }
            )

    def limits(self):
        if self.fidelity != "main":
            return {f"{self.fidelity}_cpu_seconds": FIDELITY_CPU_LIMIT}
        return {"cpu_seconds": CPU_LIMIT, **SLOW_FAMILIES}

    def say(self, text):
        if self.progress:
            print(text, file=sys.stderr, flush=True)


def _describe(task):
    schema = task.schema
    return {
        "id": task.id,
        "name": task.source.name,
        "kind": task.source.kind,
        "family": task.source.family,
        "openml_id": task.source.openml_id,
        "openml_task_id": task.source.openml_task_id,
        "origin": task.source.origin,
        "licence": task.source.licence,
        "n_rows": task.n_rows,
        "n_features": schema.n_features,
        "n_categorical": len(schema.categorical),
        "n_classes": task.n_classes,
        "dropped_classes": list(task.dropped),
    }
