"""Which datasets ``minute.py`` judges on, and their division into rows to train and to test on."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
from _minute_tables import write_split
from sklearn.model_selection import train_test_split

HERE = Path(__file__).parent
#: A line a family: choices were made on it, so it judges nothing.
USED = HERE / "minute_used.txt"
KINDS = ("two classes", "several classes", "numbers")
#: Rows from (exclusive) and to (inclusive); in this order, so that any first part of the list is
#: balanced.
SIZES = ((3000, 10_000), (299, 1000), (10_000, 60_000), (1000, 3000))
#: Every system drops rarer classes or fails on them.
LEAST_OF_A_CLASS = 15


def read_index(data):
    """Give the rows of ``index.csv``."""
    with open(Path(data) / "index.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def used_families(path=USED):
    """Give the families that judge nothing."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def kind_of(row):
    """Tell two classes, several classes and numbers apart."""
    if row["task"] == "regression":
        return "numbers"
    return "two classes" if float(row["n_classes"]) == 2 else "several classes"


def draw(index, used, n_datasets, seed):
    """Draw datasets of different families: kinds in turn, and for each kind the sizes in turn.

    A family is drawn first, then one of its datasets. Where no family of a size is left, the next
    size is taken.

    Parameters
    ----------
    index : list of dict
        Rows of ``index.csv``.
    used : set of str
        Families to leave out.
    n_datasets : int
    seed : int

    Returns
    -------
    list of dict
        Keys dataset, family, kind, n_rows.
    """
    rng = np.random.default_rng(seed)
    taken, drawn = set(used), []
    for number in range(n_datasets):
        kind, turn = KINDS[number % 3], number // 3
        for later in range(len(SIZES)):
            low, high = SIZES[(turn + later) % len(SIZES)]
            fitting = [
                row
                for row in index
                if kind_of(row) == kind
                and row["group"] not in taken
                and low < int(row["n_rows"]) <= high
            ]
            if fitting:
                break
        else:
            raise ValueError(f"Only {number} datasets of unused families are there.")
        family = rng.choice(sorted({row["group"] for row in fitting}))
        own = sorted(row["slug"] for row in fitting if row["group"] == family)
        slug = str(rng.choice(own))
        taken.add(str(family))
        n_rows = next(int(row["n_rows"]) for row in index if row["slug"] == slug)
        drawn.append({"dataset": slug, "family": str(family), "kind": kind, "n_rows": n_rows})
    return drawn


def split(data, folder, slug, max_rows, index):
    """Write the two parts of a dataset: 70 % of the rows to train on, 30 % to test on."""
    row = next(row for row in index if row["slug"] == slug)
    frame = pd.read_parquet(Path(data) / f"{slug}.parquet")
    frame = frame[frame["target"].notna()].reset_index(drop=True)
    y = frame.pop("target")
    frame.columns = [f"f{j}" for j in range(frame.shape[1])]
    frame = pd.DataFrame({column: _plain(frame[column]) for column in frame})
    about = {"kind": row["task"], "n_classes": 0}
    # The knowledge base is asked to forget all of them.
    about["kin"] = sorted({own["name"] for own in index if own["group"] == row["group"]})
    if row["task"] == "classification":
        y = y.astype(str)
        kept = (y.map(y.value_counts()) >= LEAST_OF_A_CLASS).to_numpy()
        frame = frame[kept].reset_index(drop=True)
        y = np.unique(y[kept], return_inverse=True)[1]
        about["n_classes"] = int(y.max()) + 1
    else:
        y = y.to_numpy(dtype=float)
    stratify = y if row["task"] == "classification" else None
    train, test = train_test_split(
        np.arange(len(y)), test_size=0.3, random_state=0, stratify=stratify
    )
    train, test = train[:max_rows], test[:max_rows]
    Path(folder).mkdir(parents=True, exist_ok=True)
    write_split(folder, slug, about, frame.iloc[train], y[train], frame.iloc[test], y[test])


def _plain(column):
    """Give numbers, or a category of text without spaces that a CSV would not keep."""
    if pd.api.types.is_bool_dtype(column):
        return column.astype(float)
    if pd.api.types.is_numeric_dtype(column):
        return column
    text = column.astype("string").str.replace(r"\s+", " ", regex=True).str.strip()
    return pd.Series(pd.Categorical(text.where(text != "")), index=column.index)


def read_drawn(path):
    """Give the drawn list."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_drawn(path, drawn):
    """Write the drawn list."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(drawn[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(drawn)
