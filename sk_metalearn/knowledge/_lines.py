"""What leaves the machine when knowledge is shared: lines that can be read first.

Descriptions of tasks, meta-features, settings and scores; never a row of anybody's data.
"""

import hashlib
import hmac
import json
import secrets
from dataclasses import replace
from itertools import chain

import numpy as np
from sklearn.metrics import get_scorer_names

from ..exceptions import KnowledgeError
from ..spaces import PREPROCESSING, families, load_pool
from ._assemble import assemble, counted
from ._files import replace_file
from ._limits import MAX_LINE, read_json
from ._metrics import METRICS
from ._records import (
    KINDS,
    Evaluation,
    Source,
    Task,
    read_configuration,
    read_metafeatures,
    show_value,
)
from ._text import printable

__all__ = ["FORMAT", "holds_lines", "read_lines", "share_records", "write_lines"]

FORMAT = "sk_metalearn knowledge lines"
_VERSION = 2
_HEAD = b'{"record":'
_READERS = {
    "source": Source.from_dict,
    "task": Task.from_dict,
    "configuration": read_configuration,
    "evaluation": Evaluation.from_dict,
}


def share_records(base, anonymous=False):
    """List all that a base would share, one record after the other.

    Parameters
    ----------
    base : KnowledgeBase
        What is to be shared.
    anonymous : bool, default=False
        Number the tasks anew, with a salt that is kept nowhere; leave out the tasks' names,
        families, OpenML ids, sources and licences, the names of who measured, the machines, and
        all evaluations of estimators or metrics that are not the package's own. Related datasets
        still share a family, under a number. Who has the same data can still recognise them by
        their size and meta-features.

    Yields
    ------
    dict
        In JSON types, with the key ``"record"``: ``"format"``, ``"source"``, ``"task"``,
        ``"configuration"``, ``"metafeatures"``, ``"evaluation"``, or ``"end"`` with the number
        of lines before it.
    """
    number = 0
    for number, record in enumerate(_records(base, anonymous), start=1):  # noqa: B007
        yield record
    yield {"record": "end", "lines": number}


def _records(base, anonymous):
    yield {"record": "format", "format": FORMAT, "version": _VERSION}
    veil = _Veil(base) if anonymous else _Open()
    for source in base.sources:
        yield {"record": "source", **veil.source(source).to_dict()}
    for task in veil.order(base.tasks):
        yield {"record": "task", **veil.task(task).to_dict()}
    known, described = set(), set()
    for kind in base.kinds:
        for fidelity in base.fidelities(kind):
            table = base.table(kind, fidelity)
            shared = {own.id for own in table.configurations if veil.shares(own)}
            for own in table.configurations:
                if own.id in shared and own.id not in known:
                    known.add(own.id)
                    yield {"record": "configuration", **own.to_dict()}
            rows = {task.id: row for task, row in zip(table.tasks, table.metafeatures, strict=True)}
            for task in veil.order(table.tasks):
                values = dict(zip(table.metafeature_names, rows[task.id].tolist(), strict=True))
                values = {name: value for name, value in values.items() if np.isfinite(value)}
                if values and task.id not in described:
                    described.add(task.id)
                    yield {"record": "metafeatures", "task": veil.id(task.id), "values": values}
            evaluations = (own for own in table.evaluations() if own.configuration in shared)
            for evaluation in veil.order(evaluations, lambda own: own.task):
                record = veil.evaluation(evaluation).to_dict()
                record = {key: value for key, value in record.items() if value}
                yield {"record": "evaluation", **record}


class _Open:
    """Shares records as they are."""

    def source(self, source):
        return source

    def order(self, records, task=None):
        return records

    def id(self, task):
        return task

    def task(self, task):
        return task

    def shares(self, configuration):
        return True

    def evaluation(self, evaluation):
        return evaluation


class _Veil:
    """Takes out of records what tells whose they are."""

    def __init__(self, base):
        self.salt = secrets.token_bytes(32)
        self.sources, self.families = {}, {}
        self.words = _catalogue_words()
        self.metrics = {*chain(*METRICS.values()), *get_scorer_names()}

    def source(self, source):
        return Source(self._numbered(self.sources, source.name, "source"), source.licence)

    def _numbered(self, numbers, name, word):
        if name not in numbers:
            numbers[name] = f"{word} {len(numbers) + 1}"
        return numbers[name]

    def order(self, records, task=lambda own: own.id):
        # Their old order would tell the old ids.
        return sorted(records, key=lambda own: self.id(task(own)))

    def id(self, task):
        return hmac.new(self.salt, task.encode(), hashlib.sha256).hexdigest()[:12]

    def task(self, task):
        number = self._numbered(self.families, task.family, self.id("family"))
        key = self.id(task.id)
        return replace(
            task,
            id=key,
            name=f"task {key}",
            family=f"anonymous {number}",
            openml_id=None,
            openml_task_id=None,
            source="",
            licence="",
        )

    def shares(self, configuration):
        known = self.words.get(configuration.family)
        if known is None:
            return False
        names, words = known
        return all(
            name in names and _plain(value, words)
            for part in (configuration.params, configuration.preprocessing)
            for name, value in part.items()
        )

    def evaluation(self, evaluation):
        return replace(
            evaluation,
            task=self.id(evaluation.task),
            machine="",
            source=self._numbered(self.sources, evaluation.source, "source"),
            reason="",
            versions={},
            warnings=(),
            metrics={k: v for k, v in evaluation.metrics.items() if k in self.metrics},
            outer={k: v for k, v in evaluation.outer.items() if k in self.metrics},
        )


def _plain(value, words):
    if isinstance(value, list):
        return all(_plain(own, words) for own in value)
    if isinstance(value, str):
        return value in words
    return value is None or isinstance(value, bool | int | float)


def _catalogue_words():
    """Settings of each family, and the words that their values may be."""
    steps = {word for choices in PREPROCESSING.values() for word in choices}
    found = {}
    for kind in KINDS:
        for family in (*families(kind), *families(kind, optional=True)):
            names, words = found.setdefault(family.name, (set(PREPROCESSING), set(steps)))
            names.update(family.parameters)
            for parameter in family.parameters.values():
                choices = getattr(parameter, "choices", ())
                words.update(own for own in choices if isinstance(own, str))
        for own in (*load_pool(kind), *load_pool(kind, optional=True)):
            names, words = found.setdefault(own.family, (set(PREPROCESSING), set(steps)))
            names.update(own.params)
            words.update(value for value in own.params.values() if isinstance(value, str))
    return found


def write_lines(base, path, anonymous=False):
    """Write the records to a file of JSON lines, whole or not at all.

    Parameters
    ----------
    base : KnowledgeBase
    path : path-like
    anonymous : bool, default=False

    Returns
    -------
    int
        Number of lines.
    """
    number = 0
    with replace_file(path) as file:
        for number, record in enumerate(share_records(base, anonymous), start=1):  # noqa: B007
            text = json.dumps(record, separators=(",", ":"), allow_nan=False)
            file.write(text.encode() + b"\n")
    return number


def holds_lines(path):
    """Tell whether a file is one of JSON lines, by how it begins or by its name.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool
    """
    if not path.is_file():
        return path.suffix == ".jsonl" and path.exists()
    with path.open("rb") as file:
        head = file.read(len(_HEAD))
    return head == _HEAD or path.suffix == ".jsonl"


def read_lines(path):
    """Read the parts of a knowledge base from a file of JSON lines.

    A line that cannot be read costs that line.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    tables : dict of (kind, fidelity) to PerformanceTable
    sources : list of Source
    problems : list of str
        A line for each line left out.

    Raises
    ------
    KnowledgeError
        If the file does not begin as one of ours does.
    """
    shown = printable(str(path))
    found = {name: [] for name in _READERS}
    metafeatures, problems, orphans, number, ended = {}, [], [], 0, False
    try:
        with open(path, "rb") as file:
            version = _read_format(file.readline(MAX_LINE), shown)
            number = 1
            while line := file.readline(MAX_LINE + 1):
                number += 1
                place = f"{shown!r}, line {number}"
                if len(line) > MAX_LINE:
                    problems.append(f"{place}: more than {MAX_LINE:,} bytes")
                    while line and not line.endswith(b"\n"):
                        line = file.readline(MAX_LINE)
                    continue
                try:
                    record = read_json(line)
                    kind = record.pop("record")
                    if kind == "end":
                        ended = record.get("lines") == number - 1
                    elif kind == "metafeatures":
                        task = record["task"]
                        metafeatures[task + ""] = read_metafeatures(record["values"])
                    elif kind in found:
                        found[kind].append(_READERS[kind](record))
                    else:
                        raise KnowledgeError(f"unknown record {show_value(kind)}")
                except (KnowledgeError, KeyError, TypeError, AttributeError) as error:
                    problems.append(f"{place}: {_said(error)}")
    except OSError as error:
        raise KnowledgeError(f"{shown!r} cannot be read: {error}") from error
    if version >= 2 and not ended:
        problems.append(
            f"{shown!r}, line {number}: it does not end as it should; lines are missing"
        )
    tables = assemble(
        found["task"],
        found["configuration"],
        found["evaluation"],
        metafeatures,
        orphans.append,
    )
    problems += [f"{shown!r}: {own}" for own in counted(orphans)]
    return tables, found["source"], problems


def _read_format(line, shown):
    try:
        record = read_json(line)
        known = record["format"] == FORMAT and record["record"] == "format"
        version = record["version"]
    except (KnowledgeError, KeyError, TypeError) as error:
        raise KnowledgeError(f"{shown!r}, line 1: {_said(error)}; no knowledge base.") from error
    if not known:
        raise KnowledgeError(f"{shown!r}, line 1: unknown format {show_value(record)}.")
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= _VERSION:
        raise KnowledgeError(
            f"{shown!r}, line 1: version {show_value(version)}; this version of sk_metalearn reads "
            f"1 to {_VERSION}. Update sk_metalearn."
        )
    return version


def _said(error):
    text = str(error) if isinstance(error, KnowledgeError) else f"{type(error).__name__}: {error}"
    return printable(text)
