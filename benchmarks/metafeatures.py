"""Speed of the meta-features against pymfe, and of the default set on large data.

    python benchmarks/metafeatures.py --out speed.csv
    python benchmarks/metafeatures.py --data DIR --out corpus.csv

Both libraries compute the same features in one process and one thread, in turns; the best of some
repeats counts. ``seconds`` are those of the processor that the process used (equal to the time on
the clock on an idle machine, and hardly touched by other load), ``clock_seconds`` those on the
clock. A ratio is that of processor seconds, with that of the clock in brackets.

sk_metalearn is timed three times: "exact" follows pymfe's procedures step by step and gives its
values; "full" reads all rows but ranks columns for the landmarkers with one tree of all rows where
pymfe grows one in each of ten folds; "sampled", the default, reads at most 1,000 rows for trees and
landmarkers.

With ``--data``, every dataset of ``DIR/corpus`` is measured once instead (all meta-features): a row
per dataset with the seconds, how many values are NaN and how many of these lack a reason.
"""

import argparse
import csv
import resource
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, make_classification
from threadpoolctl import threadpool_limits

from sk_metalearn.metafeatures import MetaFeatureExtractor, list_meta_features

CLOSED = ("general", "statistical", "info-theory")
SETS = {
    "general + statistical + info-theory": CLOSED,
    "and landmarking + model-based": (*CLOSED, "landmarking", "model-based"),
}
FIDELITIES = ("sampled", "full", "exact")
DATA = {
    "breast_cancer": lambda: load_breast_cancer(return_X_y=True),
    "digits": lambda: load_digits(return_X_y=True),
    "make_classification(10000, 50)": lambda: make_classification(10_000, 50, random_state=0),
}


def seconds_of(functions, repeats):
    """Fewest (processor, clock) seconds of each function, called in turns."""
    best = np.full((len(functions), 2), np.inf)
    for _ in range(repeats):
        for row, function in enumerate(functions):
            processor, clock = time.process_time(), time.perf_counter()
            function()
            spent = time.process_time() - processor, time.perf_counter() - clock
            best[row] = np.minimum(best[row], spent)
    return best


def against_pymfe(repeats):
    """Yield (dataset, library, features, seconds, clock seconds), and print the ratios."""
    import pymfe
    from pymfe.mfe import MFE

    for name, load in DATA.items():
        X, y = load()
        for words, groups in SETS.items():

            def theirs(groups=groups, X=X, y=y):
                mfe = MFE(groups=list(groups), random_state=0, suppress_warnings=True)
                return mfe.fit(X, y, suppress_warnings=True).extract(suppress_warnings=True)

            known = set(theirs()[0])
            ours = [f.name for f in list_meta_features("classification") if f.pymfe in known]
            # both compute it, though pymfe by another definition
            ours.append("sd_ratio")
            if len(ours) != len(known):
                raise RuntimeError(f"{len(known)} features of pymfe, {len(ours)} of ours")
            calls = [theirs]
            for fidelity in FIDELITIES:
                extractor = MetaFeatureExtractor(groups=ours, fidelity=fidelity)
                calls.append(lambda e=extractor, X=X, y=y: e.extract(X, y))
            slow, *fast = seconds_of(calls, repeats if len(X) < 5000 else min(repeats, 2))
            features = f"{words} ({len(ours)})"
            yield name, f"pymfe {pymfe.__version__}", features, *slow
            for fidelity, found in zip(FIDELITIES, fast, strict=True):
                yield name, f"sk_metalearn {fidelity}", features, *found
                print(
                    f"{name}, {words}, {fidelity}: {slow[0]:.3f} / {found[0]:.3f} = "
                    f"{slow[0] / found[0]:.1f}x ({slow[1] / found[1]:.1f}x)",
                    flush=True,
                )


def default_set(repeats):
    """Yield the seconds of the default set on large tables, and print the memory."""
    extractor = MetaFeatureExtractor()
    rng = np.random.default_rng(0)
    for n, p in ((10_000, 50), (1_000_000, 100)):
        X = rng.standard_normal((n, p))
        y = (X[:, 0] + rng.standard_normal(n) > 0).astype(int)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        calls = [lambda X=X, y=y: extractor.extract(X, y)]
        found = seconds_of(calls, repeats if n < 1e5 else 1)[0]
        more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        yield f"normal({n}, {p})", "sk_metalearn sampled", "default", *found
        memory = f", {1 + more / X.nbytes:.2f} times the memory of the data" if n > 1e5 else ""
        print(f"default set on {n:,} x {p}: {found[0]:.3f} s ({found[1]:.3f} s){memory}")


def corpus(folder):
    """Yield (dataset, library, features, seconds, clock seconds, NaN, without reason)."""
    import pandas as pd

    folder = Path(folder) / "corpus"
    extractor = MetaFeatureExtractor(groups="all")
    total, failed = 0.0, 0
    for slug, kind in pd.read_csv(folder / "index.csv")[["slug", "task"]].to_numpy():
        frame = pd.read_parquet(folder / f"{slug}.parquet")
        processor, clock = time.process_time(), time.perf_counter()
        found = extractor.extract(frame.drop(columns="target"), frame["target"], kind)
        spent = time.process_time() - processor, time.perf_counter() - clock
        nan = {name for name, value in found.items() if np.isnan(value)}
        bad = nan ^ set(extractor.reasons_)
        bad |= {name for name, reason in extractor.reasons_.items() if "Error" in reason}
        total, failed = total + spent[0], failed + len(bad)
        yield slug, "sk_metalearn sampled", f"all ({len(found)})", *spent, len(nan), len(bad)
    print(f"{total:.0f} s; {failed} values without a reason")


def main():
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="speed.csv", help="where the table goes")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--data", help="folder with corpus/: measure these datasets instead")
    parser.add_argument("--only-default", action="store_true", help="leave out pymfe")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    with threadpool_limits(1), open(arguments.out, "w", newline="") as file:
        writer = csv.writer(file)
        head = ["dataset", "library", "features", "seconds", "clock_seconds"]
        writer.writerow(head + (["nan", "without_reason"] if arguments.data else []))
        if arguments.data:
            for row in corpus(arguments.data):
                writer.writerow((*row[:3], f"{row[3]:.4f}", f"{row[4]:.4f}", *row[5:]))
            return
        # memory first: later peaks would hide it
        rows = list(default_set(arguments.repeats))
        if not arguments.only_default:
            rows += against_pymfe(arguments.repeats)
        writer.writerows((*row[:3], f"{row[3]:.4f}", f"{row[4]:.4f}") for row in rows)


if __name__ == "__main__":
    main()
