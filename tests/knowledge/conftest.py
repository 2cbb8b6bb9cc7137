"""A small knowledge base of invented measurements."""

import numpy as np
import pytest

from sk_metalearn.knowledge import Evaluation, KnowledgeBase, Source, Task, task_id
from sk_metalearn.spaces import load_pool

METRICS = {
    "classification": ("accuracy", "f1_macro", "neg_log_loss"),
    "regression": ("r2", "neg_mean_absolute_error", "spearman"),
}


def make_parts(n_tasks=6, n_configurations=8, kinds=("classification", "regression"), seed=0):
    """Invent tasks, configurations, evaluations and meta-features; the same for the same seed."""
    rng = np.random.default_rng(seed)
    tasks, evaluations, metafeatures = [], [], {}
    pools = {kind: load_pool(kind)[:n_configurations] for kind in kinds}
    for kind in kinds:
        for i in range(n_tasks):
            task = Task(
                task_id("invented", seed, kind, i),
                f"{kind} set {seed} {i}",
                kind,
                f"{kind} family {seed} {i // 2}",
                n_rows=100 * (seed + 1) + 7 * i + (kind == "regression"),
                n_features=4 + i % 3,
                n_classes=2 if kind == "classification" else 0,
                openml_id=100_000 * (seed + 1) + 1000 * (kind == "regression") + i,
                source="invented",
            )
            tasks.append(task)
            metafeatures[task.id] = {
                "log_n_rows": float(np.log(task.n_rows)),
                "probe_one_nn": float(rng.uniform()),
                "fraction_missing": float("nan"),
            }
            for number, configuration in enumerate(pools[kind]):
                ok = number == 0 or rng.uniform() > 0.2
                metrics = {}
                for metric in METRICS[kind] if ok else ():
                    values = rng.uniform(0.5, 1.0, 3)
                    metrics[metric] = (values - 1 if metric.startswith("neg_") else values).tolist()
                evaluations.append(
                    Evaluation(
                        task.id,
                        configuration.id,
                        "ok" if ok else "timeout",
                        metrics,
                        fit_seconds=rng.uniform(0.01, 1, 3).tolist(),
                        predict_seconds=(0.001, 0.001, 0.001),
                        outer={name: (values[0],) for name, values in metrics.items()},
                        source="invented",
                        machine="machine A",
                    )
                )
    return tasks, pools, evaluations, metafeatures


@pytest.fixture(scope="session")
def parts():
    """Give `make_parts`."""
    return make_parts


@pytest.fixture
def base():
    """Give a knowledge base of six tasks a kind."""
    return KnowledgeBase.from_evaluations(
        *make_parts(), sources=[Source("invented", "BSD-3-Clause")], provenance={"versions": {}}
    )
