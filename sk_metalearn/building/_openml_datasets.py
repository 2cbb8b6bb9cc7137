"""OpenML through its own client: datasets of a suite, of tasks or of ids, and their qualities.

Nothing is asked twice: the client keeps what it fetched in its cache folder, and a dataset already
written is not fetched again. Calls are spaced out and retried. Only this package's `building` room
imports ``openml``, and only when called.
"""

import csv
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..exceptions import KnowledgeError, import_optional
from ..knowledge import MAX_NAME, exclusion, normalize_name, printable, show_value
from ..metafeatures import tell_kind
from ._openml_qualities import meta_features

__all__ = ["Fetched", "OpenMLClient", "fetch_datasets", "fetch_qualities"]

COLUMNS = (
    "slug",
    "name",
    "openml_id",
    "task",
    "n_rows",
    "n_features",
    "n_classes",
    "source",
    "group",
    "openml_task_id",
    "licence",
)
TASK_TYPES = {
    "Supervised Classification": "classification",
    "Supervised Regression": "regression",
}
# A sparse dataset is written dense if it has at most this many cells.
MAX_DENSE_CELLS = 50_000_000
# Names of files have at most 255 bytes.
_MAX_SLUG = 60


class Unreachable(KnowledgeError):
    """The server does not answer: whatever is asked next will fail as well."""


@dataclass
class Fetched:
    """What was fetched, and what was not.

    Attributes
    ----------
    rows : list of dict
        A row of ``index.csv`` per dataset written.
    dropped : dict of str to str
        Why each of the others was left out, by id.
    """

    rows: list = field(default_factory=list)
    dropped: dict = field(default_factory=dict)

    def __str__(self):
        lines = [f"{len(self.rows)} datasets"]
        lines += [f"dropped {key}: {reason}" for key, reason in self.dropped.items()]
        return "\n".join(lines)


class OpenMLClient:
    """The ``openml`` package, configured for one server and paced.

    Parameters
    ----------
    cache : path-like, default=None
        Folder of the client's cache. None: the client's own default.
    server : str, default=None
        URL of the server's API. None: the client's own default, the public server.
    api_key : str, default=None
        Not needed for reading.
    pause : float, default=0.2
        Seconds between two calls.
    n_retries : int, default=4
        Attempts for a call when the connection fails; the client waits longer after each.
    """

    def __init__(self, cache=None, server=None, api_key=None, pause=0.2, n_retries=4):
        self.openml = import_optional("openml", "openml", "Reading from OpenML")
        self.cache, self.server, self.api_key = cache, server, api_key
        self.pause, self.n_retries = pause, n_retries
        self._last = 0.0

    @contextmanager
    def _configured(self):
        config = self.openml.config
        wanted = {"connection_n_retries": self.n_retries}
        if self.server is not None:
            wanted["server"] = self.server
        if self.api_key is not None:
            wanted["apikey"] = self.api_key
        if self.cache is not None:
            wanted["_root_cache_directory"] = Path(self.cache)
        before = {name: getattr(config, name) for name in wanted}
        try:
            for name, value in wanted.items():
                setattr(config, name, value)
            yield
        finally:
            for name, value in before.items():
                setattr(config, name, value)

    def call(self, function, *args, **options):
        """Call a function of the client, politely.

        Parameters
        ----------
        function : callable
            Such as ``client.openml.tasks.get_task``.
        *args, **options
            Passed on.

        Returns
        -------
        object
            What the function gave.

        Raises
        ------
        KnowledgeError
            If the server cannot be reached or answers with an error.
        """
        from requests.exceptions import RequestException

        wait = self._last + self.pause - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        with self._configured():
            server = self.openml.config.server
            try:
                return function(*args, **options)
            except (RequestException, ConnectionError) as error:
                raise Unreachable(
                    f"OpenML at {server} cannot be reached ({type(error).__name__}). Check the "
                    "connection and call again: what was fetched is kept."
                ) from error
            except self.openml.exceptions.OpenMLServerException as error:
                raise KnowledgeError(f"OpenML at {server} answered: {error}") from error
            finally:
                self._last = time.monotonic()


def fetch_datasets(
    folder, suite=None, task_ids=(), dataset_ids=(), *, client=None, include_excluded=False
):
    """Fetch datasets into a folder that ``sk-metalearn kb build run`` reads.

    May be stopped and called again; datasets already there are kept.

    Parameters
    ----------
    folder : path-like
        Gets a parquet file per dataset, with the target in the column ``target``, and
        ``index.csv``.
    suite : int or str, optional
        Id or alias of a benchmark suite, such as 99.
    task_ids, dataset_ids : iterable of int
        Further tasks; datasets with their default target.
    client : OpenMLClient, optional
        The server and the cache; by default OpenML's own.
    include_excluded : bool, default=False
        Also fetch copies of the datasets that scikit-learn ships. Knowledge built with them must
        not be judged on them.

    Returns
    -------
    Fetched
        The datasets in the folder, and what was left out.

    Raises
    ------
    KnowledgeError
        If OpenML cannot be reached.
    """
    client = client or OpenMLClient()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    fetched = Fetched(rows=_read_index(folder))
    known = {(row["openml_id"], row["task"], row["openml_task_id"]) for row in fetched.rows}
    task_ids = list(dict.fromkeys(int(own) for own in task_ids))
    if suite is not None:
        found = client.call(client.openml.study.get_suite, suite)
        task_ids = list(dict.fromkeys([*found.tasks, *task_ids]))
    dataset_ids = dict.fromkeys(int(own) for own in dataset_ids)
    wanted = [("task", own) for own in task_ids] + [("data", own) for own in dataset_ids]
    for what, number in wanted:
        if any(str(number) == row[2 if what == "task" else 0] for row in known):
            continue
        try:
            row = _fetch(client, folder, what, number, include_excluded)
        except Unreachable:
            raise
        except KnowledgeError as error:
            fetched.dropped[f"{what} {number}"] = str(error)
            continue
        except Exception as error:
            # Datasets are as their uploaders made them: one odd one costs itself alone.
            fetched.dropped[f"{what} {number}"] = f"{type(error).__name__}: {show_value(error)}"
            continue
        if isinstance(row, str):
            fetched.dropped[f"{what} {number}"] = row
            continue
        fetched.rows.append(row)
        _write_index(folder, fetched.rows)
    return fetched


def _fetch(client, folder, what, number, include_excluded):
    """Fetch one dataset and write it; give its row of the index, or why there is none."""
    openml = client.openml
    target, kind, task_id, data_id = None, None, "", number
    if what == "task":
        task = client.call(openml.tasks.get_task, number, download_splits=False)
        if task.task_type not in TASK_TYPES:
            return f"the task is of type {task.task_type!r}, not classification or regression"
        target, kind, task_id = task.target_name, TASK_TYPES[task.task_type], str(number)
        data_id = int(task.dataset_id)
    if not include_excluded and exclusion(openml_id=data_id):
        return f"a copy of scikit-learn's {exclusion(openml_id=data_id)}"
    dataset = client.call(openml.datasets.get_dataset, data_id, cache_format="feather")
    target = target or dataset.default_target_attribute
    if target is None or "," in target:
        return f"the dataset has {'several targets' if target else 'no default target'}"
    try:
        X, y, categorical, names = client.call(dataset.get_data, target=target)
    except KnowledgeError:
        raise
    except Exception as error:
        return f"the file cannot be read ({type(error).__name__}: {show_value(error)})"
    if len(set(X.columns)) < len(X.columns):
        return "two columns bear the same name"
    if hasattr(X, "sparse") and len(X.dtypes) and all(map(_is_sparse, X.dtypes)):
        if X.shape[0] * X.shape[1] > MAX_DENSE_CELLS:
            return f"sparse with {X.shape[0]} x {X.shape[1]} cells, too large to be written dense"
        X = X.sparse.to_dense()
    y = y.sparse.to_dense() if _is_sparse(y.dtype) else y
    kind = kind or tell_kind(y)
    classes = int(y.nunique()) if kind == "classification" else 0
    copied = exclusion(dataset.name, data_id, (*X.shape, classes), kind)
    if copied and not include_excluded:
        return f"a copy of scikit-learn's {copied}"
    name = printable(str(dataset.name))[:MAX_NAME]
    slug = f"{_safe(name)[:_MAX_SLUG]}-{data_id}" + (f"-task-{task_id}" if task_id else "")
    table = X.copy()
    for column, nominal in zip(names, categorical, strict=True):
        if nominal or table[column].dtype.kind == "O":
            table[column] = table[column].astype("category")
    if kind == "classification":
        y = y.astype("category")
    if "target" in table.columns:
        table = table.rename(columns={"target": "target (feature)"})
    table["target"] = y.to_numpy() if kind == "regression" else y.array
    part = folder / f"{slug}.parquet.part"
    try:
        table.to_parquet(part)
        part.replace(folder / f"{slug}.parquet")
    finally:
        part.unlink(missing_ok=True)
    return {
        "slug": slug,
        "name": name,
        "openml_id": str(data_id),
        "task": kind,
        "n_rows": str(len(table)),
        "n_features": str(X.shape[1]),
        "n_classes": str(classes) if classes else "",
        "source": "OpenML",
        "group": normalize_name(name),
        "openml_task_id": task_id,
        "licence": dataset.licence or "",
    }


def _is_sparse(dtype):
    return str(dtype).startswith("Sparse")


def _safe(name):
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in name)


def _read_index(folder):
    path = folder / "index.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = [{name: row.get(name) or "" for name in COLUMNS} for row in csv.DictReader(file)]
    return [row for row in rows if (folder / f"{row['slug']}.parquet").exists()]


def _write_index(folder, rows):
    part = folder / "index.csv.part"
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    part.replace(folder / "index.csv")


def fetch_qualities(dataset_ids, *, client=None):
    """Fetch OpenML's qualities of datasets, as meta-features.

    Parameters
    ----------
    dataset_ids : iterable of int
        OpenML data ids.
    client : OpenMLClient, optional
        The server and the cache; by default OpenML's own.

    Returns
    -------
    dict of int to dict of str to float
        By data id: the qualities under their own names, and those of the package's meta-features
        that follow from them. Datasets without qualities are left out.
    """
    client = client or OpenMLClient()
    found = {}
    for data_id in dataset_ids:
        dataset = client.call(
            client.openml.datasets.get_dataset, int(data_id), download_qualities=True
        )
        qualities = {
            name: float(value)
            for name, value in (dataset.qualities or {}).items()
            if value is not None
        }
        if qualities:
            found[int(data_id)] = meta_features(qualities)
    return found
