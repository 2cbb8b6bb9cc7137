"""Size and speed of a knowledge base, of retrieval and of the store.

    python benchmarks/knowledge.py [--base KNOWLEDGE.npz] [--tasks 100000] [--url DATABASE_URL]

Times are CPU seconds of this process unless said otherwise; the median of several runs.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from sk_metalearn.knowledge import (
    DatasetRetriever,
    Evaluation,
    KnowledgeBase,
    KnowledgeStore,
    PerformanceTable,
    Task,
    task_id,
)
from sk_metalearn.knowledge._bundled import read_bundled
from sk_metalearn.spaces import load_pool


def median(function, repeats=9):
    """Median CPU seconds of a call."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        seconds.append(time.process_time() - start)
    return float(np.median(seconds))


def the_file(path):
    """The file: size, seconds to open it and answer, seconds to check it, and to leave out."""
    kind = KnowledgeBase.open(path).kinds[0]
    metric = KnowledgeBase.open(path).table(kind).metrics[0]
    print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")
    print(KnowledgeBase.open(path).summary())

    def first_query():
        KnowledgeBase.open(path).table(kind).scores(metric)

    base = KnowledgeBase.open(path)
    table = base.table(kind)
    features = dict(zip(table.metafeature_names, table.metafeatures[0], strict=True))
    base.neighbors(metafeatures=features, kind=kind)
    times = {
        "open and first scores": median(first_query),
        "all scores of all metrics": median(
            lambda: [
                own.scores(name)
                for own in [KnowledgeBase.open(path).table(kind)]
                for name in own.metrics
            ]
        ),
        "without one family": median(lambda: base.without(tasks=[table.tasks[0]]).tasks),
        "neighbours of a described dataset": median(
            lambda: base.neighbors(metafeatures=features, kind=kind)
        ),
        "check": median(KnowledgeBase.open(path).check, repeats=3),
    }
    for name, seconds in times.items():
        print(f"  {name}: {seconds * 1e3:.1f} ms")


def many_tasks(n_tasks, n_features=22):
    """Retrieval among many synthetic tasks: seconds per query, memory."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(n_tasks, n_features))
    before = _memory()
    start = time.process_time()
    retriever = DatasetRetriever().fit(values)
    fitted = time.process_time() - start
    grown = _memory() - before
    queries = rng.normal(size=(50, n_features))
    retriever.kneighbors(queries[:3])
    times = []
    for query in queries:
        start = time.process_time()
        retriever.kneighbors(query[None])
        times.append(time.process_time() - start)
    print(
        f"DatasetRetriever, {n_tasks:,} tasks x {n_features} meta-features: fit {fitted:.2f} s, "
        f"query {np.median(times) * 1e3:.2f} ms (95 %: {np.quantile(times, 0.95) * 1e3:.2f} ms), "
        f"{grown / n_tasks:.2f} kB a task"
    )


# In a process of its own, so that only what is opened counts.
LARGE = """
import sys, time, numpy as np
from pathlib import Path
from sk_metalearn.knowledge import KnowledgeBase

def used():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

def seconds(function):
    start = time.process_time()
    function()
    return time.process_time() - start

before, start = used(), time.process_time()
base = KnowledgeBase.open(sys.argv[1])
opened = time.process_time() - start
names = base.table("classification").metafeature_names
rng = np.random.default_rng(1)
ask = lambda: base.neighbors(metafeatures=dict(zip(names, rng.normal(size=len(names)))))
first = seconds(ask)
times = [seconds(ask) for _ in range(30)]
print(opened, first, np.median(times), used() - before)
"""


def a_large_base(n_tasks, n_configurations=8, n_features=22):
    """A whole base of many tasks: seconds to open it, to ask it, and its memory."""
    rng = np.random.default_rng(0)
    kind = "classification"
    tasks = [
        Task(task_id("many", i), f"set {i}", kind, f"family {i}", 1000 + i, 10 + i % 7, 2)
        for i in range(n_tasks)
    ]
    shape = n_tasks, n_configurations
    arrays = {
        "status": np.ones(shape, dtype=np.uint8),
        "origin": np.zeros(shape, dtype=np.uint8),
        "machine": np.zeros(shape, dtype=np.uint8),
        "seconds": rng.lognormal(size=shape),
        "mean:accuracy": rng.uniform(size=shape),
        "metafeatures": rng.normal(size=(n_tasks, n_features)),
    }
    names = [f"feature {k}" for k in range(n_features)]
    table = PerformanceTable(kind, tasks, load_pool(kind)[:n_configurations], arrays, names)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many.npz"
        KnowledgeBase({(kind, "main"): table}).save(path)
        done = subprocess.run(
            [sys.executable, "-c", LARGE, path], capture_output=True, text=True, check=True
        )
        size = path.stat().st_size
    opened, first, query, grown = map(float, done.stdout.split())
    print(
        f"KnowledgeBase, {n_tasks:,} tasks x {n_configurations} configurations: "
        f"{size / 1e6:.1f} MB, open {opened:.2f} s, first neighbours {first:.2f} s, "
        f"then {query * 1e3:.2f} ms, {grown / n_tasks:.2f} kB a task"
    )


def a_store(url, n=500):
    """Records written one transaction each."""
    store = KnowledgeStore(url)
    pool = load_pool("classification")[:16]
    task = Task(task_id("store"), "store", "classification", "store", 100, 4, 2)
    start, wall = time.process_time(), time.perf_counter()
    for i in range(n):
        own = pool[i % len(pool)]
        evaluation = Evaluation(task.id, own.id, "ok", {"accuracy": (0.5,)}, seed=i, source="b")
        store.add([task], [own], [evaluation])
    print(
        f"{store!r}: {n} records, {(time.process_time() - start) / n * 1e3:.2f} ms CPU and "
        f"{(time.perf_counter() - wall) / n * 1e3:.2f} ms wall a record"
    )


def _memory():
    """Memory of this process now, in kB (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", help="a file; default: the bundled one")
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--url", help="a database to write to; default: a new SQLite file")
    options = parser.parse_args()
    path = options.base
    if path is None:
        path = read_bundled()[1]
    the_file(Path(path))
    many_tasks(options.tasks)
    a_large_base(options.tasks)
    if options.url:
        a_store(options.url)
    else:
        with tempfile.TemporaryDirectory() as folder:
            a_store(Path(folder) / "store.db")


if __name__ == "__main__":
    main()
