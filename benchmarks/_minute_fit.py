"""One system on one dataset, in the system's own interpreter: prints one line of JSON.

    python _minute_fit.py JOB

JOB is JSON with ``splits, dataset, system, budget, jobs, seed, options``; a system that
``_minute_systems.SYSTEMS`` does not name is sk_metalearn as it is found first on the path.
"""

import json
import os
import sys
import time
import warnings
from importlib.metadata import version

import numpy as np
from _minute_systems import PACKAGES, SYSTEMS, ours
from _minute_tables import read_split

MARK = "MINUTE "
#: Smaller probabilities count as this one, so that no single row decides.
LEAST = 1e-6


def score(about, y, predicted):
    """Give the metrics of a prediction, ``score`` (higher is better) among them."""
    from sklearn.metrics import r2_score, roc_auc_score

    predicted = np.asarray(predicted, dtype=float)
    if not np.isfinite(predicted).all():
        raise ValueError("Predictions are not finite.")
    if about["kind"] == "regression":
        r2 = float(r2_score(y, predicted))
        return {"metric": "r2", "score": r2}
    if predicted.shape != (len(y), about["n_classes"]):
        raise ValueError(
            f"Probabilities of shape {predicted.shape} for {len(y)} rows, "
            f"{about['n_classes']} classes."
        )
    auc = float(roc_auc_score(y, predicted[:, 1])) if about["n_classes"] == 2 else None
    clipped = np.maximum(predicted, LEAST)
    clipped /= clipped.sum(axis=1, keepdims=True)
    log_loss = float(-np.log(clipped[np.arange(len(y)), y]).mean())
    found = {"log_loss": log_loss, "accuracy": float((predicted.argmax(axis=1) == y).mean())}
    if auc is not None:
        return {"metric": "auc", "score": auc, **found}
    return {"metric": "log_loss", "score": -log_loss, **found}


def run(job):
    """Fit and judge one system; give the row."""
    started = time.perf_counter()
    about, X, y, X_test, y_test = read_split(job["splits"], job["dataset"])
    row = {
        "kind": about["kind"],
        "n_classes": about["n_classes"],
        "n_train": len(y),
        "n_test": len(y_test),
        "n_columns": X.shape[1],
        "read_seconds": time.perf_counter() - started,
    }
    try:
        started = time.perf_counter()
        prepare = SYSTEMS.get(job["system"], ours)
        fit, note = prepare(about, job["budget"], job["jobs"], job["seed"], job["options"])
        row["import_seconds"] = time.perf_counter() - started
        if job["system"] in PACKAGES:
            row["version"] = version(PACKAGES[job["system"]])
        started = time.perf_counter()
        predict = fit(X, y)
        row["fit_seconds"] = time.perf_counter() - started
        started = time.perf_counter()
        predicted = predict(X_test)
        row["predict_seconds"] = time.perf_counter() - started
        row.update(score(about, y_test, predicted))
        row["note"] = note()
    except Exception as error:  # a system that fails is a system that loses
        row["error"] = f"{type(error).__name__}: {error}"[:300]
    return row


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print("\n" + MARK + json.dumps(run(json.loads(sys.argv[1]))), flush=True)
    # Some systems leave threads behind that never end.
    os._exit(0)
