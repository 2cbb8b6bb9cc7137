"""The performance table: tasks by configurations, a column-oriented view read when asked for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..exceptions import KnowledgeError
from ._cells import Cells, CellWriter
from ._metrics import nearest_metric
from ._records import Evaluation, Status

__all__ = ["MOST_OF_A_FAMILY", "PerformanceTable", "code_type", "empty_table"]

_MEAN, _FOLDS, _OUTER = "mean:", "folds:", "outer:"
# Of one family, so many columns tell what a model of it can learn.
MOST_OF_A_FAMILY = 256


@dataclass(frozen=True)
class _Whole:
    """An array of the whole table, made of its cells when called."""

    cells: Cells
    name: str

    def __call__(self):
        return self.cells.whole(self.name)


@dataclass(frozen=True)
class _Part:
    """Rows and columns of an array of another table, cut out when asked for."""

    table: "PerformanceTable"
    name: str
    rows: np.ndarray
    columns: np.ndarray

    def __call__(self):
        values = self.table._array(self.name)
        if self.name == "metafeatures":
            return values[self.rows]
        return values[np.ix_(self.rows, self.columns)]


class PerformanceTable:
    """Performance of configurations on tasks of one kind.

    Scores are "higher is better" under scikit-learn's scoring names. Treat the arrays as read-only:
    they are shared.

    Parameters
    ----------
    kind : {"classification", "regression"}
    tasks : sequence of Task
        The rows.
    configurations : sequence of Configuration
        The columns.
    arrays : mapping of str to ndarray or callable
        Arrays by name (``"mean:<metric>"``, ``"folds:<metric>"``, ``"outer:<metric>"``,
        ``"seconds"``, ``"status"``, ``"origin"``, ``"machine"``, ``"metafeatures"``, and ``"seed"``
        if some is not 0); a callable gives its array when it is first asked for.
    metafeature_names : sequence of str
        Columns of the array ``"metafeatures"``.
    fidelity : str, default="main"
        The subset of rows that was used.
    sources, machines : sequence of str
        What the numbers in ``origin`` and ``machine`` stand for.
    cells : Cells, optional
        The measured cells, instead of all arrays but the meta-features.
    """

    def __init__(
        self,
        kind,
        tasks,
        configurations,
        arrays,
        metafeature_names=(),
        fidelity="main",
        sources=("",),
        machines=("",),
        cells=None,
    ):
        self.kind = kind
        self.tasks = tuple(tasks)
        self.configurations = tuple(configurations)
        self.metafeature_names = tuple(metafeature_names)
        self.fidelity = fidelity
        self.sources = tuple(sources)
        self.machines = tuple(machines)
        self._cells = cells
        if cells is not None:
            arrays = {**{name: _Whole(cells, name) for name in cells.values}, **arrays}
        self._arrays = {
            name: values if isinstance(values, Callable) else _locked(values)
            for name, values in arrays.items()
        }
        self._row = {task.id: i for i, task in enumerate(self.tasks)}
        self._ids = None

    def __repr__(self):
        return (
            f"<PerformanceTable: {len(self.tasks)} {self.kind} tasks x "
            f"{len(self.configurations)} configurations, {len(self.metrics)} metrics>"
        )

    def __deepcopy__(self, memo):
        return self

    def _array(self, name):
        values = self._arrays[name]
        if isinstance(values, Callable):
            values = self._arrays[name] = _locked(values())
        return values

    def _names(self, prefix):
        return tuple(name[len(prefix) :] for name in self._arrays if name.startswith(prefix))

    @property
    def metrics(self):
        """Names of the metrics whose mean over folds is stored."""
        return self._names(_MEAN)

    @property
    def fold_metrics(self):
        """Names of the metrics stored fold by fold."""
        return self._names(_FOLDS)

    @property
    def outer_metrics(self):
        """Names of the metrics stored for the test split outside all folds."""
        return self._names(_OUTER)

    def scores(self, metric, failures="nan", columns=None):
        """Give the mean score over folds.

        Parameters
        ----------
        metric : str
            One of `metrics`; or ``"outer:<metric>"`` for the split outside the folds.
        failures : {"nan", "dummy"}, default="nan"
            What a crash, a timeout, too much memory or an invalid result is worth: unknown, or
            as much as the dummy estimator on the same task. Cells never measured and families
            not applicable stay NaN.
        columns : array-like of int, optional
            Positions of the configurations wanted. Default: all.

        Returns
        -------
        ndarray of shape (n_tasks, n_configurations)
            Higher is better; NaN where unknown.

        Raises
        ------
        KnowledgeError
            If the metric is not stored.
        """
        name = self._name_of(metric)
        if failures not in ("nan", "dummy"):
            raise KnowledgeError(f"failures is 'nan' or 'dummy'; got {failures!r}.")
        part = self if columns is None else self.take(columns=columns)
        scores = part._array(name)
        if failures == "nan":
            return scores
        failed = np.isin(
            part.status, [Status.crashed, Status.timeout, Status.memory, Status.invalid]
        )
        return np.where(failed & np.isnan(scores), self.baseline(metric)[:, None], scores)

    def fold_scores(self, metric):
        """Give the score of each fold.

        Parameters
        ----------
        metric : str
            One of `fold_metrics`.

        Returns
        -------
        ndarray of shape (n_tasks, n_configurations, n_folds)
            NaN where not measured.

        Raises
        ------
        KnowledgeError
            If the metric is not stored fold by fold.
        """
        self._require(_FOLDS + metric, metric, self.fold_metrics, " fold by fold")
        return self._array(_FOLDS + metric)

    def baseline(self, metric):
        """Give the dummy estimator's score on each task, NaN where it was not measured.

        Parameters
        ----------
        metric : str
            One of `metrics`; or ``"outer:<metric>"``, as in `scores`.

        Returns
        -------
        ndarray of shape (n_tasks,)
            Scores; higher is better.
        """
        self._name_of(metric)
        columns = [i for i, c in enumerate(self.configurations) if c.family == "dummy"]
        if not columns:
            return np.full(len(self.tasks), np.nan)
        return np.fmax.reduce(self.take(columns=columns).scores(metric), axis=1)

    def nearest_metric(self, metric):
        """Find the stored metric closest to the one asked for.

        Parameters
        ----------
        metric : str, callable or None
            Name of a scorer, or a scorer; None: the kind's default.

        Returns
        -------
        name : str
            One of `metrics`.
        exact : bool
            Whether it orders configurations as `metric` does.
        """
        return nearest_metric(metric, self.kind, self.metrics)

    @property
    def seconds(self):
        """CPU seconds of one fold's fit and predictions, (n_tasks, n_configurations)."""
        return self._array("seconds")

    @property
    def status(self):
        """`Status` of each cell, (n_tasks, n_configurations), dtype uint8."""
        return self._array("status")

    @property
    def origin(self):
        """Position in `sources` of who measured each cell, an unsigned integer."""
        return self._array("origin")

    @property
    def machine(self):
        """Position in `machines` of where each cell was measured, an unsigned integer."""
        return self._array("machine")

    @property
    def metafeatures(self):
        """Meta-features of the tasks, (n_tasks, n_metafeatures), NaN where undefined."""
        return self._array("metafeatures")

    def row(self, task):
        """Give the row of a task.

        Parameters
        ----------
        task : str
            Its id.

        Returns
        -------
        int
            Position in `tasks`.

        Raises
        ------
        KnowledgeError
            If the task is not in the table.
        """
        try:
            return self._row[task]
        except KeyError:
            raise KnowledgeError(f"No {self.kind} task has the id {task!r}.") from None

    def columns_of(self, configurations):
        """Give the column of each configuration, -1 for one that was never measured.

        Parameters
        ----------
        configurations : sequence of Configuration or str
            Configurations or their ids.

        Returns
        -------
        ndarray of int
            Of the length of `configurations`.
        """
        if self._ids is None:
            self._ids = {c.id: i for i, c in enumerate(self.configurations)}
        ids = (c if isinstance(c, str) else c.id for c in configurations)
        return np.array([self._ids.get(own, -1) for own in ids], dtype=int)

    def take(self, rows=None, columns=None):
        """Give the table of some tasks and configurations; arrays are cut when asked for.

        Parameters
        ----------
        rows, columns : array-like of int or bool, optional
            Positions kept, in this order. Default: all.

        Returns
        -------
        PerformanceTable
            Its arrays are views or cut copies of this one's.
        """
        rows = _positions(rows, len(self.tasks))
        columns = _positions(columns, len(self.configurations))
        # Of cells each row and column has one place.
        cells = self._cells
        if cells is not None and all(len({*own}) == len(own) for own in (rows, columns)):
            cells, names = cells.take(rows, columns), ("metafeatures",)
        else:
            cells, names = None, self._arrays
        return PerformanceTable(
            self.kind,
            [self.tasks[i] for i in rows],
            [self.configurations[j] for j in columns],
            {name: _Part(self, name, rows, columns) for name in names},
            self.metafeature_names,
            self.fidelity,
            self.sources,
            self.machines,
            cells,
        )

    def narrowed(self, configurations):
        """Keep what can say something about some configurations.

        A table gathered from many searches has a column for every point that one of them tried.
        Kept are the columns of the configurations, the dummy's, and, of the configurations'
        families, those measured on most tasks; and the tasks measured with any of them.

        Parameters
        ----------
        configurations : sequence of Configuration or None
            None among them stands for one that the table cannot know.

        Returns
        -------
        PerformanceTable
            This one, where it holds whole arrays: such as the bundled one.
        """
        if self._cells is None:
            return self
        known = [own for own in configurations if own is not None]
        kept = {int(j) for j in self.columns_of(known) if j >= 0}
        families, counts = {own.family for own in known}, self._cells.counts()
        members = {}
        for j, own in enumerate(self.configurations):
            if own.family == "dummy":
                kept.add(j)
            elif own.family in families:
                members.setdefault(own.family, []).append(j)
        for own in members.values():
            kept.update(sorted(own, key=lambda j: -counts[j])[:MOST_OF_A_FAMILY])
        columns = np.array(sorted(kept), dtype=int)
        rows = np.unique(self._cells.rows[np.isin(self._cells.columns, columns)])
        return self.take(rows, columns)

    def cells(self):
        """Give the measured cells, one after the other.

        Returns
        -------
        Cells
            Rows, columns, and values by the names of the arrays.
        """
        if self._cells is not None:
            return self._cells
        shape = len(self.tasks), len(self.configurations)
        return Cells.of_arrays(shape, self._arrays, self._array)

    def evaluations(self):
        """Give the evaluations held; of some metrics there is the mean over folds only.

        Yields
        ------
        Evaluation
        """
        cells = self.cells()
        values, places = cells.values, zip(cells.rows.tolist(), cells.columns.tolist(), strict=True)
        for k, (i, j) in enumerate(places):
            metrics, outer = {}, {}
            for metric in self.metrics:
                found = _folds_of(values, metric, k)
                if found:
                    metrics[metric] = found
            for metric in self.outer_metrics:
                value = float(values[_OUTER + metric][k])
                if np.isfinite(value):
                    outer[metric] = (value,)
            seconds = float(values["seconds"][k])
            yield Evaluation(
                task=self.tasks[i].id,
                configuration=self.configurations[j].id,
                status=int(values["status"][k]),
                metrics=metrics,
                outer=outer,
                fit_seconds=(seconds,) if np.isfinite(seconds) else (),
                fidelity=self.fidelity,
                seed=int(values["seed"][k]) if "seed" in values else 0,
                machine=self.machines[values["machine"][k]],
                source=self.sources[values["origin"][k]],
            )

    def with_tasks(self, tasks):
        """Describe the tasks anew, such as with other families.

        Parameters
        ----------
        tasks : sequence of Task
            One per row, in the order of the rows.

        Returns
        -------
        PerformanceTable
            The arrays are shared.
        """
        return PerformanceTable(
            self.kind,
            tasks,
            self.configurations,
            self._arrays,
            self.metafeature_names,
            self.fidelity,
            self.sources,
            self.machines,
            self._cells,
        )

    def array_names(self):
        """List the arrays held, read or not.

        Returns
        -------
        tuple of str
            Names that `array` takes.
        """
        return tuple(self._arrays)

    def array(self, name):
        """Give an array as it is stored.

        Parameters
        ----------
        name : str
            One of `array_names`.

        Returns
        -------
        ndarray
            Of shape (n_tasks, n_configurations, ...); the meta-features of shape (n_tasks,
            n_metafeatures).
        """
        return self._array(name)

    def _name_of(self, metric):
        """Name of the array of a metric's scores."""
        name = metric if metric.startswith(_OUTER) else _MEAN + metric
        self._require(name, metric, self.metrics)
        return name

    def _require(self, name, metric, stored, how=""):
        if name not in self._arrays:
            raise KnowledgeError(
                f"The metric {metric!r} is not stored{how} for {self.kind}. Stored: "
                f"{list(stored)}. nearest_metric() gives the closest one."
            )


def empty_table(kind, fidelity="main"):
    """Give a table without tasks.

    Parameters
    ----------
    kind : {"classification", "regression"}
    fidelity : str, default="main"

    Returns
    -------
    PerformanceTable
    """
    cells = CellWriter().cells((0, 0))
    return PerformanceTable(
        kind, (), (), {"metafeatures": np.empty((0, 0))}, fidelity=fidelity, cells=cells
    )


def code_type(entries):
    """Give the smallest type that holds the position of each entry.

    Parameters
    ----------
    entries : sequence

    Returns
    -------
    dtype
        uint8 up to 256 entries.
    """
    return np.min_scalar_type(max(len(entries) - 1, 0))


def _locked(values):
    values = values.view()
    values.flags.writeable = False
    return values


def _folds_of(values, metric, k):
    mean = float(values[_MEAN + metric][k])
    folds = values.get(_FOLDS + metric)
    if folds is None:
        return (mean,) if np.isfinite(mean) else ()
    known = np.flatnonzero(np.isfinite(folds[k]))
    found = folds[k, : known[-1] + 1].tolist() if len(known) else []
    # Cells of fewer folds end in NaN; so does a cell whose last fold is undefined.
    if found and not np.isfinite(mean) and np.isfinite(found).all():
        found.append(np.nan)
    return tuple(found)


def _positions(chosen, n):
    if chosen is None:
        return np.arange(n)
    chosen = np.asarray(chosen)
    return np.flatnonzero(chosen) if chosen.dtype == bool else chosen.astype(int).reshape(-1)
