"""Evaluations that OpenML's server holds, with their setups, for flows of scikit-learn."""

import json
import re
from collections import Counter, defaultdict

import numpy as np

from ..exceptions import KnowledgeError
from ..knowledge import Evaluation, KnowledgeBase, Source, Task, exclusion, task_id
from ._imported import FIDELITY, Imported
from ._openml_datasets import TASK_TYPES, OpenMLClient, fetch_qualities
from ._tables_mapping import Mapper

__all__ = ["import_evaluations", "read_setup"]

OPENML = Source(
    "OpenML",
    "CC-BY-4.0",
    "https://www.openml.org",
    "runs uploaded by users: scores over the folds of the OpenML task, on all rows; errors of "
    "regression in the units of y",
)
# The server's measure, our metric, and how one becomes the other.
MEASURES = {
    "classification": {
        "predictive_accuracy": ("accuracy", 1.0),
        "area_under_roc_curve": ("roc_auc_ovr_weighted", 1.0),
    },
    "regression": {"mean_absolute_error": ("neg_mean_absolute_error", -1.0)},
}
_PARAMETER = re.compile(r"^(?P<flow>.+)\((?P<version>\d+)\)_(?P<name>\w+)$", re.DOTALL)
# Parts of a pipeline that only hold others, or drop columns without any information.
_STRUCTURE = {
    "Pipeline",
    "ColumnTransformer",
    "FeatureUnion",
    "VarianceThreshold",
    "TransformedTargetRegressor",
    "FunctionTransformer",
}
_SCALERS = {
    "StandardScaler": "standard",
    "MinMaxScaler": "minmax",
    "QuantileTransformer": "quantile",
    "PowerTransformer": "power",
}
_ENCODERS = {"OneHotEncoder": "onehot", "OrdinalEncoder": "ordinal", "TargetEncoder": "target"}
_IMPUTERS = ("SimpleImputer", "Imputer", "ConditionalImputer")


def import_evaluations(task_ids, *, flows=None, measures=None, size=None, client=None):
    """Import the server's evaluations of tasks, where the catalogue has words for them.

    Parameters
    ----------
    task_ids : iterable of int
        OpenML task ids.
    flows : iterable of int, optional
        Ids of the flows wanted. Default: all.
    measures : iterable of str, optional
        The server's names. Default: those that the task's kind has a metric for.
    size : int, optional
        At most so many evaluations of each task and measure. Default: all.
    client : OpenMLClient, optional
        The server and the cache; by default OpenML's own.

    Returns
    -------
    Imported
        The base, and what was dropped: how many evaluations, and why.

    Raises
    ------
    KnowledgeError
        If OpenML cannot be reached.
    """
    client = client or OpenMLClient()
    gathered = _Gathered(client)
    for number in task_ids:
        gathered.task(int(number), flows, measures, size)
    return gathered.imported()


class _Gathered:
    def __init__(self, client):
        self.client = client
        self.mappers = {kind: Mapper(kind) for kind in MEASURES}
        self.tasks, self.configurations, self.excluded = {}, {}, {}
        self.scores = defaultdict(dict)
        self.metafeatures = {}

    def task(self, number, flows, measures, size):
        """Gather the evaluations of one task."""
        openml, mapper = self.client.openml, self.mappers["classification"]
        found = self.client.call(openml.tasks.get_task, number, download_splits=False)
        kind = TASK_TYPES.get(found.task_type)
        if kind is None:
            mapper.drop(f"task of type {found.task_type!r}")
            return
        mapper = self.mappers[kind]
        data_id = int(found.dataset_id)
        dataset = self.client.call(openml.datasets.get_dataset, data_id)
        features = fetch_qualities([data_id], client=self.client).get(data_id, {})
        rows = int(features.get("NumberOfInstances", 0))
        columns = max(int(features.get("NumberOfFeatures", 1)) - 1, 0)
        classes = int(features.get("NumberOfClasses", 0)) if kind == "classification" else 0
        copied = exclusion(dataset.name, data_id, (rows, columns, classes), kind)
        if copied:
            self.excluded[dataset.name] = copied
            return
        task = Task(
            task_id("openml", data_id, kind),
            dataset.name,
            kind,
            "",
            rows,
            columns,
            classes,
            data_id,
            "OpenML",
            dataset.licence or "",
            number,
        )
        wanted = MEASURES[kind] if measures is None else {m: MEASURES[kind][m] for m in measures}
        for measure, (metric, sign) in wanted.items():
            for row in self._evaluations(measure, number, flows, size):
                configuration = self._configuration(mapper, row, task)
                if configuration is None or row["value"] is None or np.isnan(row["value"]):
                    continue
                self.tasks[task.id], self.configurations[configuration.id] = task, configuration
                self.metafeatures[task.id] = features
                key = task.id, configuration.id, int(row["run_id"])
                self.scores[key][metric] = (sign * float(row["value"]),)

    def _evaluations(self, measure, number, flows, size):
        """List the evaluations of a task with their setups; none if the server has none."""
        options = {"tasks": [number], "size": size}
        if flows is not None:
            options["flows"] = [int(own) for own in flows]
        try:
            frame = self.client.call(
                self.client.openml.evaluations.list_evaluations_setups, measure, **options
            )
        except KnowledgeError as error:
            if "No results" in str(error):
                return []
            raise
        return frame.to_dict(orient="records")

    def _configuration(self, mapper, row, task):
        setup = read_setup(row["flow_name"], row.get("parameters") or {})
        if isinstance(setup, str):
            mapper.drop(setup)
            return None
        name, params, steps = setup
        return mapper.map(name, params, steps, max(task.n_rows, 2), max(task.n_features, 1))

    def imported(self):
        """Give the base of what was gathered."""
        evaluations = [
            # A run is one set of scores: of several runs of a configuration each is kept.
            Evaluation(
                task, configuration, "ok", metrics, fidelity=FIDELITY, seed=run, source=OPENML.name
            )
            for (task, configuration, run), metrics in sorted(self.scores.items())
        ]
        base = KnowledgeBase.from_evaluations(
            self.tasks.values(),
            self.configurations.values(),
            evaluations,
            self.metafeatures,
            sources=[OPENML],
        )
        dropped = sum((own.dropped for own in self.mappers.values()), start=Counter())
        return Imported(base, dropped, self.excluded)


def read_setup(flow_name, parameters):
    """Read a setup of a scikit-learn flow.

    Parameters
    ----------
    flow_name : str
        Such as ``sklearn.pipeline.Pipeline(...)(1)``.
    parameters : mapping of str to str
        Values in JSON by full name, ``<flow>(<version>)_<parameter>``.

    Returns
    -------
    (str, dict, dict) or str
        Class of the model, its parameters, and the preprocessing; or why it cannot be read.
    """
    if not flow_name.startswith(("sklearn.", "openmlstudy14.")):
        return f"flow of {flow_name.partition('.')[0]}, not scikit-learn"
    parts = defaultdict(dict)
    for full_name, text in parameters.items():
        match = _PARAMETER.match(full_name)
        if match is None:
            return f"unreadable parameter name {full_name!r}"
        owner = match["flow"].partition("(")[0]
        try:
            parts[owner][match["name"]] = _literal(text)
        except ValueError:
            return f"unreadable value of {owner}.{match['name']}"
    top = flow_name.partition("(")[0]
    parts.setdefault(top, {})
    steps = {"scaler": "none", "reducer": "none", "encoder": "onehot"}
    models = {}
    for owner, params in parts.items():
        name = owner.rpartition(".")[2]
        if name in _SCALERS:
            steps["scaler"] = _SCALERS[name]
        elif name in _ENCODERS:
            steps["encoder"] = _ENCODERS[name]
        elif name in _IMPUTERS:
            # One imputer per type of column: that of the numbers tells.
            if params.get("strategy") in ("mean", "median"):
                steps["imputer"] = params["strategy"]
        elif name == "PCA":
            if params.get("n_components") != 0.95:
                return f"reducer PCA with n_components={params.get('n_components')!r}"
            steps["reducer"] = "pca"
        elif name not in _STRUCTURE:
            models[owner] = params
    return _model(models, steps)


def _model(models, steps):
    """Tell the model from the base estimator inside it."""
    boosted = [own for own in models if "AdaBoost" in own]
    inner = [own for own in models if own.rpartition(".")[2].startswith("DecisionTree")]
    if boosted and inner:
        depth = models.pop(inner[0]).get("max_depth", 1)
        models[boosted[0]]["estimator__max_depth"] = depth
    if len(models) != 1:
        names = ", ".join(sorted(own.rpartition(".")[2] for own in models)) or "no model"
        return f"a pipeline of {names}"
    ((owner, params),) = models.items()
    # Parameters that hold another part (a base estimator) come as references.
    params = {name: value for name, value in params.items() if not isinstance(value, dict)}
    return owner, params, steps


def _literal(text):
    """Read a value as the server stores it: JSON, or a plain word."""
    if not isinstance(text, str):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        words = {"None": None, "True": True, "False": False, "nan": None}
        if text in words:
            return words[text]
        if re.fullmatch(r"[\w.-]+", text):
            return text
        raise
    return tuple(value) if isinstance(value, list) else value
