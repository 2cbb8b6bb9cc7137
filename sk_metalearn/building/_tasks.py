"""From a folder of tables to tasks: rows, folds and the outer split, drawn from the content."""

import csv
import hashlib
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from ..exceptions import KnowledgeError, import_optional
from ..metafeatures import tell_kind
from ..spaces import Schema

__all__ = [
    "FIDELITIES",
    "LARGE",
    "PreparedTask",
    "TaskSource",
    "list_tasks",
    "prepare",
    "read_table",
]

N_FOLDS = 3
OUTER_SHARE = 0.25
MAX_OUTER_ROWS = 2000
MIN_CLASS_ROWS = 3
# Rows of the development part that each fidelity uses; smaller ones are subsets of larger ones.
FIDELITIES = {"small": 500, "main": 2000, "large": 10_000}
# Datasets of more rows than this are measured at the other fidelities as well.
LARGE = 4000


@dataclass(frozen=True)
class TaskSource:
    """Where a task comes from.

    Parameters
    ----------
    path : str
        Table with a column ``target``: parquet or CSV.
    name : str
    kind : {"classification", "regression"}
    family : str
        Datasets from the same parent data share it.
    n_rows : int
        As listed; orders the work, and says which datasets are large.
    openml_id, openml_task_id : int or None
    origin : str
        Collection that the dataset belongs to.
    licence : str
        Of the data; empty where not known.
    """

    path: str
    name: str
    kind: str
    family: str
    n_rows: int = 0
    openml_id: int | None = None
    origin: str = "user"
    openml_task_id: int | None = None
    licence: str = ""


def list_tasks(folder):
    """List the tasks of a folder.

    An ``index.csv`` may name, for each ``<slug>.parquet``, its ``slug, name, task, group,
    openml_id, openml_task_id, n_rows, source, licence`` (a ``suite`` goes before ``source``);
    without it every parquet and CSV file is a dataset of its own family, and its kind is read off
    the target.

    Parameters
    ----------
    folder : path-like

    Returns
    -------
    list of TaskSource
        Sorted by name.

    Raises
    ------
    KnowledgeError
        If the folder holds no table, or lists one both as classification and as regression.
    """
    folder = Path(folder)
    index = folder / "index.csv"
    if index.exists():
        with index.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        sources = [
            TaskSource(
                path=str(folder / f"{row['slug']}.parquet"),
                name=row["name"],
                kind=row["task"],
                family=row.get("group") or row["slug"],
                n_rows=_number(row.get("n_rows")) or 0,
                openml_id=_number(row.get("openml_id")),
                origin=row.get("suite") or row.get("source") or "user",
                openml_task_id=_number(row.get("openml_task_id")),
                licence=row.get("licence") or "",
            )
            for row in rows
        ]
        kinds = {}
        for source in sources:
            if kinds.setdefault(source.path, source.kind) != source.kind:
                raise KnowledgeError(
                    f"{index.name} lists {Path(source.path).name} both as classification and as "
                    "regression; what is measured could not be told apart. Keep one of the rows."
                )
    else:
        files = sorted([*folder.glob("*.parquet"), *folder.glob("*.csv")])
        sources = [_from_file(file) for file in files]
    if not sources:
        raise KnowledgeError(
            f"No dataset found in {str(folder)!r}. Expected files <name>.parquet or <name>.csv "
            f"with a column 'target', and optionally an index.csv."
        )
    return sorted(sources, key=lambda source: source.name)


def _number(text):
    return int(float(text)) if text else None


def read_table(path):
    """Read a table; give its features and its column ``target``."""
    pandas = import_optional("pandas", "build", "Reading a folder of datasets")
    path = Path(path)
    if path.suffix != ".csv":
        import_optional("pyarrow", "build", "Reading parquet files")
    try:
        table = (pandas.read_csv if path.suffix == ".csv" else pandas.read_parquet)(path)
    except Exception as error:
        # Readers of tables raise errors of their own, and of the libraries below them.
        raise KnowledgeError(
            f"The table {path.name} cannot be read ({type(error).__name__}: {error}). Repair it, "
            "or take it out of the folder."
        ) from error
    if "target" not in table.columns:
        raise KnowledgeError(
            f"{path.name} has no column 'target'; its columns are {list(table.columns)[:10]}."
        )
    return table.drop(columns="target"), table["target"]


def _from_file(path):
    """Describe a table of which no index speaks."""
    target = read_table(path)[1]
    try:
        kind = tell_kind(target)
    except ValueError as error:
        raise KnowledgeError(f"The target of {path.name} says no kind of task: {error}") from error
    return TaskSource(str(path), path.stem, kind, path.stem, len(target))


def content_hash(X, y):
    """Hash a table by its values: 12 hexadecimal digits.

    Parameters
    ----------
    X : pandas.DataFrame
    y : ndarray
        Codes or numbers.

    Returns
    -------
    str
    """
    digest = hashlib.sha256(repr(X.shape).encode())
    for position in range(X.shape[1]):
        column = X.iloc[:, position]
        if column.dtype.kind in "iufb":
            digest.update(np.ascontiguousarray(column.to_numpy(dtype=float)).tobytes())
        else:
            text = column.astype(object).where(column.notna(), "\0")
            digest.update("\x1f".join(map(str, text)).encode())
    digest.update(np.ascontiguousarray(y, dtype=float).tobytes())
    return digest.hexdigest()[:12]


def _nested_order(strata, rng):
    """Order the rows so that every beginning of the order holds the strata in proportion."""
    codes, counts = np.unique(strata, return_inverse=True, return_counts=True)[1:]
    shuffled = rng.permutation(len(codes))
    by_stratum = shuffled[np.argsort(codes[shuffled], kind="stable")]
    starts = np.cumsum(counts) - counts
    rank = np.empty(len(codes))
    rank[by_stratum] = np.arange(len(codes)) - starts[codes[by_stratum]]
    return np.argsort((rank + rng.random(len(codes))) / counts[codes], kind="stable")


@dataclass
class PreparedTask:
    """A task at one fidelity: its rows, its folds, and the split outside them.

    Attributes
    ----------
    source : TaskSource
    id : str
        Hash of the content of the whole table.
    X : pandas.DataFrame
        All rows used, development part and outer split.
    y : ndarray
        Class codes or numbers.
    development : ndarray of int
        Rows of the folds.
    outer : ndarray of int
        Rows of the outer split.
    fold_of : ndarray of int, shape (len(development),)
    n_classes : int
        0 for regression.
    dropped : tuple of str
        Classes left out for having fewer than three rows.
    """

    source: TaskSource
    id: str
    X: object
    y: np.ndarray
    development: np.ndarray
    outer: np.ndarray
    fold_of: np.ndarray
    n_classes: int
    n_rows: int
    dropped: tuple = field(default=())

    @cached_property
    def schema(self):
        """Schema of the development rows."""
        rows = self.development
        return Schema.from_data(self.X.iloc[rows], self.y[rows], self.source.kind, units=False)

    @cached_property
    def scale(self):
        """Standard deviation of y over the development rows."""
        return float(self.y[self.development].std()) or 1.0

    def fold(self, number):
        """Give the training and test rows of a fold."""
        held = self.fold_of == number
        return self.development[~held], self.development[held]

    def seed(self, fold):
        """Give the estimators' seed on a fold."""
        digest = hashlib.sha256(f"{self.id}/{fold}".encode()).digest()
        return int.from_bytes(digest[:4], "little") % (2**31)


@lru_cache(maxsize=3)
def prepare(source, fidelity="main"):
    """Read a task and draw its rows and folds.

    The same content gives the same rows and folds everywhere, whatever configuration is measured.

    Parameters
    ----------
    source : TaskSource
    fidelity : {"small", "main", "large"}, default="main"

    Returns
    -------
    PreparedTask

    Raises
    ------
    KnowledgeError
        If the table cannot make a task: no target, or fewer than two classes of three rows.
    """
    X, target = read_table(source.path)
    known = target.notna().to_numpy()
    X, target = X[known].reset_index(drop=True), target[known]
    classification = source.kind == "classification"
    if classification:
        labels, y = np.unique(target.astype(str).to_numpy(dtype=str), return_inverse=True)
    else:
        labels, y = None, target.to_numpy(dtype=float)
    identity = content_hash(X, y)
    rng = np.random.default_rng(int(identity, 16))
    if classification:
        strata = y
    else:
        edges = np.quantile(y, np.linspace(0.1, 0.9, 9))
        strata = np.searchsorted(edges, y, side="right")
    order = _nested_order(strata, rng)
    n_outer = int(len(order) * OUTER_SHARE)
    development = order[: len(order) - n_outer][: FIDELITIES[fidelity]]
    outer = order[len(order) - n_outer :][-MAX_OUTER_ROWS:]
    dropped, n_classes = (), 0
    if classification:
        counts = Counter(y[development].tolist())
        kept = np.array(sorted(c for c, n in counts.items() if n >= MIN_CLASS_ROWS), dtype=int)
        if len(kept) < 2:
            raise KnowledgeError(
                f"{source.name} has {len(kept)} classes of at least {MIN_CLASS_ROWS} rows among "
                f"the {len(development)} rows drawn; classification needs two."
            )
        dropped = tuple(str(labels[c]) for c in range(len(labels)) if c not in set(kept.tolist()))
        development = development[np.isin(y[development], kept)]
        outer = outer[np.isin(y[outer], kept)]
        recode = np.full(len(labels), -1)
        recode[kept] = np.arange(len(kept))
        y, n_classes = recode[y], len(kept)
        strata = y
    # Within a stratum the rows are dealt to the folds in turn, from a fold drawn per stratum.
    codes = np.unique(strata[development], return_inverse=True)[1]
    fold_of = np.empty(len(development), dtype=int)
    start = 0
    for code in range(codes.max() + 1):
        members = np.flatnonzero(codes == code)
        fold_of[members] = (np.arange(len(members)) + start) % N_FOLDS
        start += len(members)
    used = np.concatenate([development, outer])
    return PreparedTask(
        source=source,
        id=identity,
        X=X.iloc[used].reset_index(drop=True),
        y=y[used],
        development=np.arange(len(development)),
        outer=np.arange(len(development), len(used)),
        fold_of=fold_of,
        n_classes=n_classes,
        n_rows=len(X),
        dropped=dropped,
    )
