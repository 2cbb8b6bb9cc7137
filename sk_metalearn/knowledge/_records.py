"""The records that knowledge is made of: tasks, evaluations and where they come from."""

import enum
import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields

from ..exceptions import KnowledgeError

__all__ = ["Evaluation", "Source", "Status", "Task", "supersedes", "task_id"]

KINDS = ("classification", "regression")


class Status(enum.IntEnum):
    """How an evaluation ended; `missing` is a cell that nobody has measured."""

    missing = 0
    ok = 1
    crashed = 2
    timeout = 3
    memory = 4
    invalid = 5
    not_applicable = 6


def supersedes(new, old):
    """Tell whether a later evaluation of a cell takes the place of an earlier one.

    The first is kept, unless only the later went well.

    Parameters
    ----------
    new, old : Status or ndarray of int

    Returns
    -------
    bool or ndarray of bool
    """
    return (old == Status.missing) | ((old != Status.ok) & (new == Status.ok))


def task_id(*content):
    """Give the id of a task: 12 hexadecimal digits, a hash of what identifies it.

    Parameters
    ----------
    *content : str, int or bytes
        The task's data; or, where only scores are public, the source's own key, as in
        ``task_id("openml", 31, "classification")``.

    Returns
    -------
    str
    """
    digest = hashlib.sha256()
    for part in content:
        part = part if isinstance(part, bytes) else str(part).encode()
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:12]


class _Record:
    """A dataclass that goes to JSON types and comes back."""

    def to_dict(self):
        """Give the record in JSON types.

        Returns
        -------
        dict
        """
        return asdict(self)

    @classmethod
    def from_dict(cls, record):
        """Read what `to_dict` gave.

        Parameters
        ----------
        record : mapping
            In JSON types.

        Returns
        -------
        Task, Source or Evaluation
            Of the class it is called on.

        Raises
        ------
        KnowledgeError
            If the record lacks a field or has another.
        """
        known = {own.name for own in fields(cls)}
        if not isinstance(record, Mapping) or not set(record) <= known:
            raise KnowledgeError(
                f"A {cls.__name__} record has the keys {sorted(known)}; got {record!r}."
            )
        try:
            return cls(**record)
        except TypeError as error:
            raise KnowledgeError(f"A {cls.__name__} record is incomplete: {error}.") from None


@dataclass(frozen=True)
class Task(_Record):
    """One dataset with its target: what one search solves.

    Parameters
    ----------
    id : str
        12 hexadecimal digits, a hash of the content; see `task_id`.
    name : str
    kind : {"classification", "regression"}
    family : str
        Datasets from the same parent data share it; a judgement leaves out whole families.
    n_rows, n_features : int
        Of the data measured, before any encoding.
    n_classes : int
        0 for regression.
    openml_id : int or None
        OpenML data id, where known.
    source : str
        Where the data came from.
    licence : str
        Licence of the data, empty where it was not checked.
    openml_task_id : int or None
        OpenML task id, where known.
    """

    id: str
    name: str
    kind: str
    family: str
    n_rows: int
    n_features: int
    n_classes: int = 0
    openml_id: int | None = None
    source: str = ""
    licence: str = ""
    openml_task_id: int | None = None

    def __post_init__(self):
        if self.kind not in KINDS:
            raise KnowledgeError(f"A task's kind is one of {list(KINDS)}; got {self.kind!r}.")
        for name in ("n_rows", "n_features", "n_classes", "openml_id", "openml_task_id"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, int(value))


@dataclass(frozen=True)
class Source(_Record):
    """Who measured evaluations, and under what licence they may be passed on.

    Parameters
    ----------
    name : str
    licence : str
    url : str
    note : str
        What the scores mean where they differ from the package's own protocol.
    """

    name: str
    licence: str = ""
    url: str = ""
    note: str = ""


@dataclass(frozen=True)
class Evaluation(_Record):
    """What one configuration did on one task, fold by fold.

    Parameters
    ----------
    task, configuration : str
        Ids.
    status : Status, int or str
    metrics : mapping of str to sequence of float
        A value per fold under scikit-learn's scoring name, higher is better; NaN if undefined.
    fit_seconds, predict_seconds : sequence of float
        CPU seconds per fold; for a timeout, the limit.
    fidelity : str, default="main"
        Which subset of rows was used.
    reason : str
        Why the status is not ok.
    seed : int
    machine : str
        Id of the machine that measured.
    versions : mapping of str to str
        Packages and their versions.
    source : str
        Name of the `Source`.
    warnings : sequence of str
        Codes of warnings seen, such as ``"not_converged"``.
    n_train, n_test : int
        Rows per fold.
    outer : mapping of str to sequence of float
        The same metrics on a test split that lies outside all folds.
    confusions : sequence of sequence of [int, int, int]
        Per fold: class, predicted class, count; from it any metric of labels follows.
    """

    task: str
    configuration: str
    status: Status
    metrics: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    fit_seconds: tuple[float, ...] = ()
    predict_seconds: tuple[float, ...] = ()
    fidelity: str = "main"
    reason: str = ""
    seed: int = 0
    machine: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    warnings: tuple[str, ...] = ()
    n_train: int = 0
    n_test: int = 0
    outer: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    confusions: tuple = ()

    def __post_init__(self):
        status = self.status
        try:
            status = Status[status] if isinstance(status, str) else Status(status)
        except (KeyError, ValueError):
            raise KnowledgeError(
                f"A status is one of {[s.name for s in Status]}; got {self.status!r}."
            ) from None
        object.__setattr__(self, "status", status)
        for name in ("metrics", "outer"):
            values = getattr(self, name)
            object.__setattr__(self, name, {key: _floats(own) for key, own in values.items()})
        for name in ("fit_seconds", "predict_seconds"):
            object.__setattr__(self, name, _floats(getattr(self, name)))
        object.__setattr__(self, "versions", dict(self.versions))
        object.__setattr__(self, "warnings", tuple(self.warnings))
        object.__setattr__(self, "confusions", tuple(self.confusions))

    @property
    def key(self):
        """What makes the evaluation the same one: task, configuration, fidelity, seed, source."""
        return self.task, self.configuration, self.fidelity, self.seed, self.source

    @property
    def seconds(self):
        """Mean CPU seconds of one fold's fit and predictions; NaN if unknown."""
        parts = [sum(part) / len(part) for part in (self.fit_seconds, self.predict_seconds) if part]
        return sum(parts) if parts else math.nan

    def to_dict(self):
        """Give the evaluation in JSON types; NaN becomes None.

        Returns
        -------
        dict
        """
        record = super().to_dict()
        record["status"] = self.status.name
        for name in ("metrics", "outer"):
            record[name] = {key: _plain(own) for key, own in record[name].items()}
        for name in ("fit_seconds", "predict_seconds"):
            record[name] = _plain(record[name])
        return record


def _floats(values):
    values = values if isinstance(values, list | tuple) else (values,)
    return tuple(math.nan if value is None else float(value) for value in values)


def _plain(values):
    return [value if math.isfinite(value) else None for value in values]
