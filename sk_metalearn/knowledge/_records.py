"""The records that knowledge is made of: tasks, evaluations and where they come from."""

import enum
import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from numbers import Integral, Real

from ..exceptions import KnowledgeError
from ..spaces import Configuration
from ._limits import (
    MAX_COUNT,
    MAX_FOLDS,
    MAX_LINE,
    MAX_METAFEATURES,
    MAX_METRICS,
    MAX_NAME,
    MAX_PARAMS,
    MAX_TEXT,
)
from ._text import printable

__all__ = ["OWN_SEARCHES", "Evaluation", "Source", "Status", "Task", "supersedes", "task_id"]

KINDS = ("classification", "regression")
# The source of what a user's own searches recorded.
OWN_SEARCHES = "own searches"
# Ids and fidelities stand in columns of a database.
_MAX_ID, _MAX_FIDELITY = 64, 32
_MAX_CONFUSIONS = 1_000_000


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
        The same for the same content, on every machine.
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
        known = _field_names(cls)
        if not isinstance(record, Mapping) or not record.keys() <= known:
            raise KnowledgeError(
                f"A {cls.__name__} record has the keys {sorted(known)}; got {show_value(record)}."
            )
        try:
            return cls(**record)
        except TypeError as error:
            raise KnowledgeError(f"A {cls.__name__} record is incomplete: {error}.") from None

    def _set(self, **values):
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _clean_texts(self, **bounds):
        """Check texts; write out what would steer a terminal."""
        for name, most in bounds.items():
            value = getattr(self, name)
            if type(value) is not str or len(value) > most or not value.isprintable():
                object.__setattr__(self, name, _text(value, most, f"{self._called}'s {name}"))

    def _clean_counts(self, *names, least=0, most=MAX_COUNT):
        for name in names:
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                value = whole_number(value, least, most, f"{self._called}'s {name}")
                object.__setattr__(self, name, value)

    @property
    def _called(self):
        return f"A{'n' if type(self).__name__[0] in 'AEIO' else ''} {type(self).__name__}"


_FIELDS = {}


def _field_names(cls):
    if cls not in _FIELDS:
        _FIELDS[cls] = {own.name for own in fields(cls)}
    return _FIELDS[cls]


def show_value(value):
    """Show a value in a message, however long it is."""
    try:
        text = repr(value)
    except Exception as error:
        text = f"a {type(value).__name__} ({type(error).__name__})"
    return printable(text if len(text) <= 200 else text[:197] + "...")


def _text(value, most, what):
    if not isinstance(value, str):
        raise KnowledgeError(f"{what} is text; got {show_value(value)}.")
    value = printable(value)
    if len(value) > most:
        raise KnowledgeError(
            f"{what} has at most {most} characters; got {len(value)}: {show_value(value[:60])}..."
        )
    return value


def whole_number(value, least, most, what):
    """Check a whole number and give it as an int."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value) if len(value) < 20 else value
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        value = int(value)
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise KnowledgeError(f"{what} is a whole number; got {show_value(value)}.")
    if not least <= value <= most:
        raise KnowledgeError(f"{what} lies in [{least}, {most}]; got {show_value(value)}.")
    return int(value)


@dataclass(frozen=True)
class Task(_Record):
    """One dataset with its target: what one search solves.

    Parameters
    ----------
    id : str
        12 hexadecimal digits, a hash of the content; see `task_id`.
    name : str
        Of the dataset, as its source names it.
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
        if not isinstance(self.kind, str) or self.kind not in KINDS:
            raise KnowledgeError(
                f"A task's kind is one of {list(KINDS)}; got {show_value(self.kind)}."
            )
        self._clean_texts(
            id=_MAX_ID, name=MAX_NAME, family=MAX_NAME, source=MAX_NAME, licence=MAX_NAME
        )
        if not self.id:
            raise KnowledgeError("A Task needs an id; got an empty one.")
        self._clean_counts("n_rows", "n_features", "n_classes")
        known = [n for n in ("openml_id", "openml_task_id") if getattr(self, n) is not None]
        if known:
            self._clean_counts(*known)

    @property
    def named(self):
        """Whether somebody gave the dataset a name."""
        return self.name != unnamed(self.id)


def unnamed(task):
    """Give the name that a dataset bears until somebody names it."""
    return f"own-{task}"


@dataclass(frozen=True)
class Source(_Record):
    """Who measured evaluations, and under what licence they may be passed on.

    Parameters
    ----------
    name : str
        Evaluations name it as their source.
    licence : str
        Of the scores; empty: not stated.
    url : str
        Where they come from.
    note : str
        What the scores mean where they differ from the package's own protocol.
    """

    name: str
    licence: str = ""
    url: str = ""
    note: str = ""

    def __post_init__(self):
        self._clean_texts(name=MAX_NAME, licence=MAX_NAME, url=MAX_TEXT, note=MAX_TEXT)


@dataclass(frozen=True)
class Evaluation(_Record):
    """What one configuration did on one task, fold by fold.

    Parameters
    ----------
    task, configuration : str
        Ids.
    status : Status, int or str
        How it ended.
    metrics : mapping of str to sequence of float
        A value per fold under scikit-learn's scoring name, higher is better; NaN if undefined.
    fit_seconds, predict_seconds : sequence of float
        CPU seconds per fold; for a timeout, the limit.
    fidelity : str, default="main"
        Which subset of rows was used.
    reason : str
        Why the status is not ok.
    seed : int
        Of the folds and of the model.
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
        except (KeyError, ValueError, TypeError):
            raise KnowledgeError(
                f"A status is one of {[s.name for s in Status]}; got {show_value(self.status)}."
            ) from None
        self._clean_texts(
            task=_MAX_ID,
            configuration=_MAX_ID,
            fidelity=_MAX_FIDELITY,
            reason=MAX_TEXT,
            machine=MAX_NAME,
            source=MAX_NAME,
        )
        self._clean_counts("seed", least=-(2**63), most=2**63 - 1)
        self._clean_counts("n_train", "n_test")
        self._set(
            status=status,
            metrics=_scores(self.metrics, "metrics"),
            outer=_scores(self.outer, "outer"),
            fit_seconds=_seconds(self.fit_seconds, "fit_seconds"),
            predict_seconds=_seconds(self.predict_seconds, "predict_seconds"),
            versions=_versions(self.versions),
            warnings=_words(self.warnings),
            confusions=_confusions(self.confusions),
        )

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
            As `from_dict` reads it.
        """
        record = super().to_dict()
        record["status"] = self.status.name
        for name in ("metrics", "outer"):
            record[name] = {key: _plain(own) for key, own in record[name].items()}
        for name in ("fit_seconds", "predict_seconds"):
            record[name] = _plain(record[name])
        return record


def _floats(values, what):
    if type(values) is not list and type(values) is not tuple:
        if isinstance(values, str | bytes | Mapping):
            raise KnowledgeError(f"{what} are numbers; got {show_value(values)}.")
        values = values if isinstance(values, list | tuple) else _listed(values)
    if len(values) > MAX_FOLDS:
        raise KnowledgeError(f"{what} are at most {MAX_FOLDS} numbers; got {len(values)}.")
    return tuple(value if type(value) is float else _float(value, what) for value in values)


def _listed(values):
    return values.tolist() if getattr(values, "ndim", 0) else (values,)


def _float(value, what):
    if value is None:
        return math.nan
    if not isinstance(value, Real) or isinstance(value, bool):
        raise KnowledgeError(f"{what} are numbers; got {show_value(value)}.")
    try:
        return float(value)
    except OverflowError:
        raise KnowledgeError(
            f"{what} are numbers of common size; got {show_value(value)}."
        ) from None


def _scores(metrics, what):
    if type(metrics) is not dict and not isinstance(metrics, Mapping):
        raise KnowledgeError(
            f"An Evaluation's {what} map names to scores; got {show_value(metrics)}."
        )
    if len(metrics) > MAX_METRICS:
        raise KnowledgeError(f"An Evaluation has at most {MAX_METRICS} {what}; got {len(metrics)}.")
    return {
        _text(name, MAX_NAME, "A metric's name"): _floats(values, f"Scores of {name!r}")
        for name, values in metrics.items()
    }


def _seconds(values, what):
    values = _floats(values, what)
    if any(value < 0 or value == math.inf for value in values):
        raise KnowledgeError(f"{what} are finite and not negative; got {show_value(values)}.")
    return values


def _versions(versions):
    if not isinstance(versions, Mapping) or len(versions) > MAX_METRICS:
        raise KnowledgeError(f"versions map packages to versions; got {show_value(versions)}.")
    return {
        _text(name, MAX_NAME, "A package"): _text(own, MAX_NAME, "A version")
        for name, own in versions.items()
    }


def _words(words):
    if isinstance(words, str) or not isinstance(words, list | tuple) or len(words) > MAX_METRICS:
        raise KnowledgeError(f"warnings are a list of codes; got {show_value(words)}.")
    return tuple(_text(word, MAX_NAME, "A warning's code") for word in words)


def _confusions(confusions):
    if not isinstance(confusions, list | tuple) or len(confusions) > MAX_FOLDS:
        raise KnowledgeError(f"confusions are a list per fold; got {show_value(confusions)}.")
    for fold in confusions:
        if not isinstance(fold, list | tuple) or len(fold) > _MAX_CONFUSIONS:
            raise KnowledgeError(f"confusions are a list per fold; got {show_value(fold)}.")
        for entry in fold:
            if not (
                isinstance(entry, list | tuple)
                and len(entry) == 3
                and all(isinstance(own, Integral) and own >= 0 for own in entry)
            ):
                raise KnowledgeError(
                    f"A confusion is [class, predicted class, count]; got {show_value(entry)}."
                )
    return tuple(confusions)


def _plain(values):
    return [value if math.isfinite(value) else None for value in values]


def read_configuration(record, text=None):
    """Read a configuration from a record that nobody vouches for.

    Parameters
    ----------
    record : mapping
        In JSON types.
    text : str, optional
        The canonical text that it was read from.

    Returns
    -------
    Configuration

    Raises
    ------
    KnowledgeError
        If it is none, or larger than any.
    """
    try:
        family, params, steps = (record[own] for own in ("family", "params", "preprocessing"))
        valid = len(record) == 3 and isinstance(params, Mapping) and isinstance(steps, Mapping)
    except (KeyError, TypeError):
        valid = False
    if not valid:
        raise KnowledgeError(
            "A configuration has a family, params and preprocessing; got "
            + show_value(record)
            + "."
        )
    _text(family, MAX_NAME, "A configuration's family")
    if len(params) > MAX_PARAMS or len(steps) > MAX_PARAMS:
        raise KnowledgeError(f"A configuration has at most {MAX_PARAMS} settings; got more.")
    for name in (*params, *steps):
        if _text(name, MAX_NAME, "A setting's name") != name:
            raise KnowledgeError(f"A setting's name is printable; got {show_value(name)}.")
    if family != printable(family):
        raise KnowledgeError(f"A configuration's family is printable; got {show_value(family)}.")
    try:
        found = Configuration.from_dict(record)
        if text is not None:
            # Its own text, of which the database's key is the hash: it need not be made again.
            vars(found)["text"] = text
        found.id  # noqa: B018  # its text is made here, while errors are expected
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise KnowledgeError(f"No configuration: {type(error).__name__}: {error}") from None
    if len(found.text) > MAX_LINE:
        raise KnowledgeError("A configuration longer than any can be.")
    return found


def read_metafeatures(values):
    """Check meta-features read from a source that nobody vouches for.

    Parameters
    ----------
    values : mapping of str to float or None

    Returns
    -------
    dict of str to float

    Raises
    ------
    KnowledgeError
        If they are none.
    """
    if not isinstance(values, Mapping) or len(values) > MAX_METAFEATURES:
        raise KnowledgeError(f"Meta-features map names to numbers; got {show_value(values)}.")
    return {
        _text(name, MAX_NAME, "A meta-feature's name"): _float(value, f"Values of {name!r}")
        for name, value in values.items()
    }
