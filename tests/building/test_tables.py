"""Importers of public tables, on small tables of invented numbers in the real formats."""

import csv
import gzip
import io
import json
import shutil
import tarfile

import numpy as np
import pytest

from sk_metalearn.building import TABLES, import_table
from sk_metalearn.building._openml_qualities import Datasets, meta_features, openml_aliases
from sk_metalearn.building._tables_mapping import Mapper
from sk_metalearn.exceptions import KnowledgeError, KnowledgeWarning, SpaceError
from sk_metalearn.knowledge import KnowledgeBase, Task, excluded_tasks
from sk_metalearn.spaces import Schema, build_estimator, load_pool

QUALITIES = (
    "NumberOfInstances",
    "NumberOfFeatures",
    "NumberOfClasses",
    "MajorityClassSize",
    "MinorityClassSize",
    "NumberOfMissingValues",
    "NumberOfNumericFeatures",
    "ClassEntropy",
)
# Data id, name and the qualities above; the second is a copy by shape, the third by id and name.
DATASETS = [
    (31, "credit-g (1)", 1000, 21, 2, 700, 300, 0, 7, 0.8813),
    (9001, "renamed (1)", 569, 31, 2, 357, 212, 0, 30, 0.95),
    (61, "iris (1)", 150, 5, 3, 50, 50, 0, 4, 1.585),
    (9002, "BNG(wine) (1)", 1000000, 14, 3, 400000, 270000, 0, 13, 1.56),
    (54, "vehicle (1)", 846, 19, 4, 218, 199, 0, 18, 2.0),
]
COPIES = {"renamed (1)": "breast_cancer", "iris (1)": "iris", "BNG(wine) (1)": "wine"}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8") as file:
        file.write(text)


def write_csv(path, rows):
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    write(path, text.getvalue())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with all the tables."""
    folder = tmp_path_factory.mktemp("tables")
    ids = [own[0] for own in DATASETS]
    write_csv(
        folder / "openml_qualities.csv.gz",
        [("Id", "Name", "Runs", *QUALITIES)] + [(own[0], own[1], 5, *own[2:]) for own in DATASETS],
    )
    _write_oboe(folder, ids)
    _write_tensoroboe(folder, ids)
    _write_lcdb(folder, ids)
    _write_searches(folder, ids)
    _write_autosklearn(folder)
    return folder


def _write_oboe(folder, ids):
    settings = [
        {"algorithm": "KNN", "hyperparameters": {"n_neighbors": 5, "p": 2}},
        {"algorithm": "Logit", "hyperparameters": {"C": 0.5, "penalty": "l1", "solver": "saga"}},
        {"algorithm": "GBT", "hyperparameters": {"learning_rate": 0.1}},
        {"algorithm": "AB", "hyperparameters": {"n_estimators": 50, "learning_rate": 1}},
        {"algorithm": "MLP", "hyperparameters": {"solver": "sgd", "alpha": 0.01}},
        {"algorithm": "RF", "hyperparameters": {"min_samples_split": 1024, "criterion": "gini"}},
    ]
    names = [str(own) for own in settings]
    for name, scale in (("error_matrix", 0.01), ("runtime_matrix", 1.0)):
        rows = [["", *names]]
        rows += [
            [own, *[(i + 1) * (j + 1) * scale for j in range(len(names))]]
            for i, own in enumerate(ids)
        ]
        write_csv(folder / "oboe" / f"{name}.csv.gz", rows)


def _write_tensoroboe(folder, ids):
    def setting(name, **params):
        return {"algorithm": name, "hyperparameters": params}

    settings = {
        "imputer": [setting("SimpleImputer", strategy=own) for own in ("constant", "median")],
        "encoder": [{"algorithm": None}, setting("OneHotEncoder", handle_unknown="ignore")],
        "standardizer": [{"algorithm": None}, setting("StandardScaler")],
        "dim_reducer": [
            {"algorithm": None},
            setting("PCA", n_components="25%"),
            setting("SelectKBest", k="25%"),
            setting("SelectKBest", k="50%"),
        ],
        "estimator": [setting("KNN", n_neighbors=5, p=2), setting("GBT", learning_rate=0.1)],
    }
    shape = (len(ids), *(len(own) for own in settings.values()))
    error = np.linspace(0, 0.5, int(np.prod(shape))).reshape(shape)
    error[0, 1, 0, 0, 0, 0] = np.nan
    (folder / "tensoroboe").mkdir()
    np.savez_compressed(
        folder / "tensoroboe" / "tensor.npz",
        dataset_id=np.array(ids),
        error=error.astype(np.float16),
        runtime=(error + 1).astype(np.float16),
    )
    axes = {"axes": list(settings), "settings": settings}
    write(folder / "tensoroboe" / "axes.json", json.dumps(axes))


def _write_lcdb(folder, ids):
    rows = [
        (
            "openmlid",
            "learner",
            "size_train",
            "traintime",
            "score_train",
            "score_valid",
            "score_test",
            "n_repeats",
        )
    ]
    learners = ["SVC_rbf", "sklearn.tree.DecisionTreeClassifier", "sklearn.linear_model.Perceptron"]
    for own in [*ids, 404]:
        for k, learner in enumerate(learners):
            for size in (16, 64, 90, 700):
                rows.append(
                    (own, learner, size, size / 1000, 1, 0.5, 0.5 + size / 2000 + k / 100, 5)
                )
    write_csv(folder / "lcdb" / "accuracy_by_anchor.csv.gz", rows)


def _write_searches(folder, ids):
    forest = "% made up\n@RELATION forest\n" + "".join(
        f"@ATTRIBUTE {name} NUMERIC\n"
        for name in (
            "randomforestclassifier__bootstrap",
            "randomforestclassifier__max_features",
            "randomforestclassifier__max_leaf_nodes",
            "randomforestclassifier__min_weight_fraction_leaf",
            "columntransformer__numeric__imputer__strategy",
            "predictive_accuracy",
            "task_id",
        )
    )
    boosting = "@RELATION boosting\n" + "".join(
        f"@ATTRIBUTE {name} NUMERIC\n"
        for name in (
            "adaboostclassifier__algorithm",
            "adaboostclassifier__learning_rate",
            "adaboostclassifier__base_estimator__max_depth",
            "adaboostclassifier__n_estimators",
            "columntransformer__numeric__imputer__strategy",
            "predictive_accuracy",
            "task_id",
        )
    )
    machine = "@relation svm\n" + "".join(
        f"@attribute {name} numeric\n"
        for name in ("C", "coef0", "gamma", "kernel", "tol", "y", "task_id")
    )
    forest, boosting, machine = (text + "@DATA\n" for text in (forest, boosting, machine))
    qualities = {}
    for number, row in enumerate(DATASETS):
        task = 100 + number
        qualities[str(task)] = dict(zip(QUALITIES, row[2:], strict=True))
        forest += f"True,0.37,None,0.0,median,0.8{number},{task}\n"
        forest += f"True,0.37,None,0.0,most_frequent,0.7{number},{task}\n"
        boosting += f"SAMME,0.5,3,120,mean,0.6{number},{task}.0\n"
        boosting += f"SAMME.R,0.5,3,120,mean,0.5{number},{task}.0\n"
        machine += f"9.5,-0.8,0.01,rbf,0.001,0.9{number},{task}\n"
        machine += f"9.5,-0.8,0.01,sigmoid,0.001,0.4{number},{task}\n"
    qualities["777"] = {"NumberOfInstances": 5.0, "ClassEntropy": float("nan")}
    machine += "1.0,0.5,0.1,poly,0.001,0.33,777\n"
    write(folder / "pimp" / "random_forest.arff.gz", forest)
    write(folder / "pimp" / "adaboost.arff.gz", boosting)
    write(folder / "pimp" / "task_qualities.json", json.dumps(qualities))
    write(folder / "multitask" / "svm-offgrid.arff.gz", machine)


def _write_autosklearn(folder):
    part = "data_preprocessor:feature_type:"
    common = {
        "balancing:strategy": "weighting",
        f"{part}categorical_transformer:categorical_encoding:__choice__": "no_encoding",
        f"{part}numerical_transformer:imputation:strategy": "mean",
        f"{part}numerical_transformer:rescaling:__choice__": "standardize",
        "feature_preprocessor:__choice__": "no_preprocessing",
    }
    forest = {
        "bootstrap": "False",
        "criterion": "entropy",
        "max_depth": "None",
        "max_features": "0.5",
        "max_leaf_nodes": "None",
        "min_impurity_decrease": "0.0",
        "min_samples_leaf": "2",
        "min_samples_split": "3",
        "min_weight_fraction_leaf": "0.0",
    }
    network = {
        "activation": "tanh",
        "alpha": "0.001",
        "batch_size": "auto",
        "early_stopping": "valid",
        "hidden_layer_depth": "2",
        "learning_rate_init": "0.01",
        "num_nodes_per_layer": "64",
        "solver": "adam",
        "tol": "0.0001",
        "n_iter_no_change": "32",
    }

    def named(role, choice, params):
        values = {f"{role}:{choice}:{name}": value for name, value in params.items()}
        return {f"{role}:__choice__": choice, **values}

    scenarios = {
        "accuracy_binary.classification_dense": [
            ("credit-g", {**common, **named("classifier", "random_forest", forest)}),
            ("wdbc", {**common, **named("classifier", "random_forest", forest)}),
            ("vehicle2", {**common, **named("classifier", "sgd", {"alpha": "0.1"})}),
            (
                "vehicle3",
                {
                    **common,
                    "feature_preprocessor:__choice__": "fast_ica",
                    **named("classifier", "mlp", network),
                },
            ),
        ],
        "accuracy_multiclass.classification_dense": [
            ("vehicle", {**common, **named("classifier", "mlp", network)}),
            ("iris", {**common, **named("classifier", "mlp", network)}),
        ],
        "r2_regression_dense": [
            ("houses", {**common, **named("regressor", "extra_trees", forest)}),
            (
                "quake",
                {
                    **common,
                    **named(
                        "regressor",
                        "k_nearest_neighbors",
                        {"n_neighbors": "7", "p": "1", "weights": "uniform"},
                    ),
                },
            ),
        ],
    }
    path = folder / "autosklearn" / "metalearning.tar.xz"
    path.parent.mkdir()
    with tarfile.open(path, "w:xz") as archive:
        for scenario, runs in scenarios.items():
            names = ["idx", *dict.fromkeys(name for _, own in runs for name in own)]
            rows = [names]
            rows += [
                [number, *[own.get(name, "") for name in names[1:]]]
                for number, (_, own) in enumerate(runs)
            ]
            text = io.StringIO()
            csv.writer(text).writerows(rows)
            metric = scenario.partition("_")[0]
            ends = "\n".join(f"{name},1.0,{i},0.25,ok" for i, (name, _) in enumerate(runs))
            features = "\n".join(f"{name},200.0,16.0,2.0,0.9" for name, _ in runs)
            files = {
                "configurations.csv": text.getvalue(),
                "algorithm_runs.arff": "@RELATION r\n@ATTRIBUTE instance_id STRING\n"
                "@ATTRIBUTE repetition NUMERIC\n@ATTRIBUTE algorithm STRING\n"
                f"@ATTRIBUTE {metric} NUMERIC\n@ATTRIBUTE runstatus {{ok}}\n@DATA\n{ends}\n",
                "feature_values.arff": "@RELATION f\n@ATTRIBUTE instance_id STRING\n"
                "@ATTRIBUTE NumberOfInstances NUMERIC\n@ATTRIBUTE NumberOfFeatures NUMERIC\n"
                "@ATTRIBUTE NumberOfClasses NUMERIC\n@ATTRIBUTE ClassEntropy NUMERIC\n"
                f"@DATA\n{features}\n",
            }
            for name, content in files.items():
                info = tarfile.TarInfo(f"metalearning/files/{scenario}/{name}")
                info.size = len(content.encode())
                archive.addfile(info, io.BytesIO(content.encode()))


def cells(imported, kind="classification", fidelity="full"):
    """Give the scores by dataset name and family."""
    table = imported.base.table(kind, fidelity)
    scores = table.scores(table.metrics[0])
    return {
        (task.name, own.family): scores[i, j]
        for i, task in enumerate(table.tasks)
        for j, own in enumerate(table.configurations)
        if np.isfinite(scores[i, j])
    }


@pytest.mark.parametrize("damage", [b"", b"Id;Name\n?;x\n", None], ids=["empty", "other", "torn"])
@pytest.mark.parametrize("name", TABLES)
def test_a_damaged_table_is_named(folder, tmp_path, name, damage):
    """Whatever the reading of one of its files ends in, the error is the room's own."""
    files = [path for path in (folder / name).rglob("*") if path.is_file()]
    for path in [folder / "openml_qualities.csv.gz", *files]:
        copy = tmp_path / path.name
        shutil.copytree(folder, copy)
        content = path.read_bytes()
        torn = content[: len(content) // 2] if damage is None else damage
        (copy / path.relative_to(folder)).write_bytes(torn)
        try:
            imported = import_table(name, copy)
        except KnowledgeError as error:
            assert name in str(error) or path.name in str(error)
        else:
            # What is left of it can be read.
            assert imported.base.check() == []


@pytest.mark.parametrize("name", TABLES)
def test_copies_of_scikit_learns_datasets_never_come_in(folder, name):
    imported = import_table(name, folder)
    assert imported.excluded
    assert set(imported.excluded.values()) <= {
        "breast_cancer",
        "iris",
        "wine",
        "california_housing",
    }
    assert excluded_tasks(imported.base.tasks) == []
    assert {task.name for task in imported.base.tasks}.isdisjoint(COPIES)
    assert imported.base.check() == []
    (source,) = imported.base.sources
    assert source.licence and source.url
    assert str(imported).count("dropped") == len(imported.dropped)


@pytest.mark.parametrize("name", TABLES)
def test_every_configuration_can_be_built(folder, name):
    base = import_table(name, folder).base
    for kind in base.kinds:
        schema = Schema(
            500,
            6,
            tuple(range(6)),
            n_classes=3 if kind == "classification" else 0,
            min_class_count=100,
        )
        for own in base.table(kind, "full").configurations:
            build_estimator(own, schema, random_state=0)


def test_oboe(folder):
    imported = import_table("oboe", folder)
    assert cells(imported) == {
        ("credit-g (1)", "k_neighbors"): pytest.approx(0.99),
        ("credit-g (1)", "logistic_regression"): pytest.approx(0.98),
        ("vehicle (1)", "k_neighbors"): pytest.approx(0.95),
        ("vehicle (1)", "logistic_regression"): pytest.approx(0.90),
    }
    table = imported.base.table("classification", "full")
    assert table.metrics == ("balanced_accuracy",)
    assert table.seconds[1].tolist() == [5.0, 10.0]
    logistic = table.configurations[1]
    assert logistic.params["l1_ratio"] == 1.0 and logistic.params["C"] == 0.5
    assert sum(imported.dropped.values()) == 4 * len(DATASETS)
    assert any("SAMME.R" in reason for reason in imported.dropped)


def test_oboes_default_neighbours_are_in_the_pool(folder):
    """The imputer differs; all else of scikit-learn's default is the pool's own."""
    table = import_table("tensoroboe", folder).base.table("classification", "full")
    pool = {own.id for own in load_pool("classification")}
    assert sum(own.id in pool for own in table.configurations) >= 1


def test_tensoroboe(folder):
    imported = import_table("tensoroboe", folder)
    table = imported.base.table("classification", "full")
    # One imputer, two encoders, two scalers, two reducers, one estimator.
    assert len(table.configurations) == 8
    assert {own.preprocessing["reducer"] for own in table.configurations} == {"none", "select"}
    assert {own.preprocessing["encoder"] for own in table.configurations} == {"ordinal", "onehot"}
    assert np.isnan(table.scores("balanced_accuracy")).sum() == 1
    assert (table.status == 0).sum() == 1
    assert table.scores("balanced_accuracy")[1].min() > 0.49
    assert imported.dropped["imputer 'constant' is not in the catalogue"] == 5 * 32


def test_lcdb(folder):
    imported = import_table("lcdb", folder)
    assert imported.base.fidelities("classification") == ("16 rows", "64 rows", "full")
    assert cells(imported) == {
        (name, family): pytest.approx(0.85 + k / 100)
        for name in ("credit-g (1)", "vehicle (1)")
        for k, family in enumerate(("svm", "decision_tree"))
    }
    assert cells(imported, fidelity="64 rows")["vehicle (1)", "svm"] == pytest.approx(0.532)
    svm = imported.base.table("classification", "full").configurations[0]
    assert svm.preprocessing["scaler"] == "none"
    assert imported.dropped["dataset without qualities"] == 9
    assert imported.dropped["Perceptron: no such family in the catalogue"] == 6


def test_pimp(folder):
    imported = import_table("pimp", folder)
    assert cells(imported) == {
        ("credit-g (1)", "random_forest"): 0.80,
        ("vehicle (1)", "random_forest"): 0.84,
        ("credit-g (1)", "adaboost"): 0.60,
        ("vehicle (1)", "adaboost"): 0.64,
    }
    assert [task.openml_task_id for task in imported.base.tasks] == [100, 104]
    table = imported.base.table("classification", "full")
    (boosting,) = (own for own in table.configurations if own.family == "adaboost")
    assert boosting.params == {"n_estimators": 120, "learning_rate": 0.5, "max_depth": 3}
    assert imported.dropped["imputer 'most_frequent' is not in the catalogue"] == 5


def test_multitask(folder):
    imported = import_table("multitask", folder)
    assert cells(imported) == {("credit-g (1)", "svm"): 0.90, ("vehicle (1)", "svm"): 0.94}
    assert imported.dropped["dataset without qualities"] == 1


def test_autosklearn(folder):
    imported = import_table("autosklearn", folder)
    assert cells(imported) == {("credit-g", "random_forest"): 0.75, ("vehicle", "mlp"): 0.75}
    assert cells(imported, "regression") == {("quake", "k_neighbors"): 0.75}
    forest, network = imported.base.table("classification", "full").configurations
    assert forest.params["max_features"] == pytest.approx(16**0.5 / 16)
    assert forest.params["class_weight"] == "balanced" and forest.params["min_samples_leaf"] == 2
    assert network.params["hidden_layer_sizes"] == [64, 64]
    assert network.params["early_stopping"] is True
    assert network.preprocessing["encoder"] == "ordinal"
    assert imported.dropped == {
        "sgd: no such family in the catalogue": 1,
        "feature preprocessor fast_ica is not in the catalogue": 1,
    }


def test_the_same_data_is_one_family_over_all_tables(folder):
    bases = [import_table(name, folder).base for name in TABLES]
    merged = bases[0]
    for other in bases[1:]:
        merged = merged.merge(other)
    left = merged.without(openml_ids=[54])
    assert {task.family for task in left.tasks if "vehicle" in task.name} == set()
    assert any(task.name.startswith("credit-g") for task in left.tasks)


def test_other_versions_on_openml_lead_to_their_family(folder):
    own = Task("a" * 12, "vehicle", "classification", "vehicle", 845, 18, 4, source="own")
    base = KnowledgeBase.from_evaluations([own], [], [])
    with pytest.warns(KnowledgeWarning, match=r"ids \[54\]"):
        assert base.without(openml_ids=[54]).left_out == frozenset()
    aliases = openml_aliases(base.tasks, folder / "openml_qualities.csv.gz")
    assert [task.openml_id for task in aliases] == [54]
    base = KnowledgeBase.from_evaluations([own], [], [], aliases=aliases)
    assert base.without(openml_ids=[54]).left_out == {"vehicle"}
    base.save(folder / "aliases.npz")
    again = KnowledgeBase.open(folder / "aliases.npz")
    assert again.without(openml_ids=[54]).tasks == ()


def test_tasks_are_found_by_their_qualities(folder):
    datasets = Datasets(folder / "openml_qualities.csv.gz")
    assert datasets.find(datasets.qualities(54)) == 54
    assert datasets.find({**datasets.qualities(54), "MajorityClassSize": 219.0}) is None
    with pytest.raises(KnowledgeError, match="no dataset 7"):
        datasets.task(7)


def test_qualities_are_translated():
    found = meta_features(
        {
            "NumberOfInstances": 200.0,
            "NumberOfFeatures": 11.0,
            "NumberOfClasses": 4.0,
            "NumberOfNumericFeatures": 5.0,
            "MinorityClassSize": 20.0,
            "ClassEntropy": 1.0,
        }
    )
    assert found["log_n_rows"] == pytest.approx(np.log(200))
    assert found["log_n_columns"] == pytest.approx(np.log(10))
    assert found["fraction_numeric"] == 0.5 and found["class_share_min"] == 0.1
    assert found["class_entropy_normalised"] == 0.5
    assert meta_features({"NumberOfInstances": float("nan")}) == {}


def test_missing_files_are_named(tmp_path):
    with pytest.raises(KnowledgeError, match="The tables are"):
        import_table("hpob", tmp_path)
    with pytest.raises(KnowledgeError, match=r"openml_qualities\.csv\.gz"):
        import_table("lcdb", tmp_path)
    with pytest.raises(KnowledgeError, match=r"metalearning\.tar\.xz"):
        import_table("autosklearn", tmp_path)


@pytest.mark.parametrize(
    ("name", "params", "family", "expected"),
    [
        (
            "sklearn.ensemble.forest.RandomForestClassifier",
            {"max_features": "auto"},
            "random_forest",
            {"max_features": "sqrt"},
        ),
        (
            "RandomForestClassifier",
            {"max_features": 3, "n_estimators": "warn"},
            "random_forest",
            {"max_features": 0.3, "n_estimators": 100},
        ),
        (
            "sklearn.svm.SVC",
            {"C": 7.0, "kernel": "linear", "probability": True},
            "svm",
            {"C": 7.0, "kernel": "linear", "class_weight": None},
        ),
        (
            "LogisticRegression",
            {"penalty": "l2", "multi_class": "ovr", "solver": "liblinear"},
            "logistic_regression",
            {"l1_ratio": 0.0},
        ),
        ("AdaBoostClassifier", {"base_estimator__max_depth": 2}, "adaboost", {"max_depth": 2}),
    ],
)
def test_old_settings_are_said_in_todays_words(name, params, family, expected):
    found = Mapper().map(name, params)
    assert found.family == family
    assert expected.items() <= found.params.items()


@pytest.mark.parametrize(
    ("name", "params", "reason"),
    [
        ("sklearn.ensemble.GradientBoostingClassifier", {}, "no such family"),
        ("RandomForestClassifier", {"max_leaf_nodes": 30}, "max_leaf_nodes=#"),
        ("RandomForestClassifier", {"min_impurity_split": 0.3}, "gone from scikit-learn"),
        ("RandomForestClassifier", {"colour": 1}, "unknown parameter colour"),
        ("SVC", {"C": 1e9}, "outside the catalogue"),
        ("AdaBoostClassifier", {"algorithm": "SAMME.R"}, "SAMME.R"),
    ],
)
def test_what_has_no_counterpart_is_counted(name, params, reason):
    mapper = Mapper()
    for _ in range(2):
        assert mapper.map(name, params, count=3) is None
    ((text, count),) = mapper.dropped.items()
    assert reason in text and count == 6
    with pytest.raises(SpaceError, match="kind must be"):
        Mapper("ranking")
