"""OpenML through its real client, against a local server."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sk_metalearn
from sk_metalearn.building._openml_datasets import OpenMLClient, fetch_datasets, fetch_qualities
from sk_metalearn.building._openml_evaluations import import_evaluations, read_setup
from sk_metalearn.building._tasks import list_tasks
from sk_metalearn.exceptions import KnowledgeError, MissingDependencyError

sys.path.insert(0, str(Path(__file__).parent))
from openml_server import PIPELINE, OpenMLServer  # noqa: E402

pytest.importorskip("openml")
pandas = pytest.importorskip("pandas")


@pytest.fixture
def server():
    with OpenMLServer() as running:
        yield running


@pytest.fixture
def client(server, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return OpenMLClient(tmp_path / "cache", server.url, pause=0.0, n_retries=1)


def test_a_suite_becomes_a_folder_of_datasets(client, server, tmp_path):
    fetched = fetch_datasets(tmp_path / "data", suite=99, client=client)
    assert [(row["name"], row["task"], row["n_classes"]) for row in fetched.rows] == [
        ("credit-small", "classification", "2"),
        ("price-small", "regression", ""),
    ]
    assert fetched.dropped == {
        "task 59": "a copy of scikit-learn's iris",
        "task 77": "the task is of type 'Clustering', not classification or regression",
    }
    tasks = list_tasks(tmp_path / "data")
    assert [(task.name, task.kind, task.openml_id) for task in tasks] == [
        ("credit-small", "classification", 31),
        ("price-small", "regression", 99001),
    ]
    table = pandas.read_parquet(tasks[0].path)
    assert list(table.columns) == ["size", "colour", "note", "target (feature)", "target"]
    assert table["size"].isna().sum() == 2
    assert str(table["colour"].dtype) == str(table["note"].dtype) == "category"
    assert table["target"].tolist() == ["yes" if i % 2 else "no" for i in range(16)]
    prices = pandas.read_parquet(tasks[1].path)
    assert np.allclose(prices["target"], [i * i / 2 for i in range(16)])


def test_what_is_there_is_not_fetched_again(client, server, tmp_path):
    first = fetch_datasets(tmp_path / "data", dataset_ids=[31, 31], client=client)
    assert len(first.rows) == 1
    calls = len(server.calls)
    again = fetch_datasets(tmp_path / "data", dataset_ids=[31], client=client)
    assert again.rows == first.rows
    assert len(server.calls) == calls
    # A table that was lost comes back from the client's own cache.
    (tmp_path / "data" / f"{first.rows[0]['slug']}.parquet").unlink()
    assert len(fetch_datasets(tmp_path / "data", dataset_ids=[31], client=client).rows) == 1
    assert not any("/files/" in call for call in server.calls[calls:])


def test_datasets_that_cannot_be_used_are_named(client, tmp_path):
    fetched = fetch_datasets(
        tmp_path / "data", dataset_ids=[61, 99002, 99003, 99004, 404], client=client
    )
    assert fetched.rows == []
    assert fetched.dropped["data 61"] == "a copy of scikit-learn's iris"
    assert fetched.dropped["data 99002"] == "the dataset has several targets"
    assert "Unknown dataset" in fetched.dropped["data 404"]
    assert fetched.dropped["data 99003"] == "a copy of scikit-learn's iris"
    assert "cannot be read" in fetched.dropped["data 99004"]


def test_sparse_data_are_written_dense(client, tmp_path, monkeypatch):
    (row,) = fetch_datasets(tmp_path / "data", dataset_ids=[99005], client=client).rows
    table = pandas.read_parquet(tmp_path / "data" / f"{row['slug']}.parquet")
    words = table[[f"word{i}" for i in range(5)]].to_numpy()
    expected = np.zeros((12, 5))
    expected[np.arange(12), np.arange(12) % 5] = np.arange(12) + 1
    assert np.array_equal(words, expected)
    assert table["target"].tolist() == [i % 2 for i in range(12)]
    assert row["task"] == "classification"
    monkeypatch.setattr("sk_metalearn.building._openml_datasets.MAX_DENSE_CELLS", 10)
    fetched = fetch_datasets(tmp_path / "other", dataset_ids=[99005], client=client)
    assert "too large to be written dense" in fetched.dropped["data 99005"]


def test_copies_come_only_when_asked_for(client, tmp_path):
    fetched = fetch_datasets(
        tmp_path / "data", dataset_ids=[61], client=client, include_excluded=True
    )
    assert [row["name"] for row in fetched.rows] == ["iris"]


def test_qualities_become_meta_features(client):
    found = fetch_qualities([31], client=client)[31]
    assert found["NumberOfInstances"] == 16
    assert found["log_n_rows"] == pytest.approx(np.log(16))
    assert found["class_share_max"] == 0.5 and found["class_entropy_normalised"] == 1.0
    assert found["fraction_missing"] == pytest.approx(2 / 64)


def test_evaluations_are_mapped_and_counted(client):
    imported = import_evaluations([31, 59, 77], client=client)
    table = imported.base.table("classification", "full")
    (task,) = table.tasks
    assert (task.openml_id, task.openml_task_id, task.name) == (31, 31, "credit-small")
    forest, machine = sorted(table.configurations, key=lambda own: own.family)
    assert forest.params["n_estimators"] == 150 and forest.params["max_features"] == "sqrt"
    assert machine.family == "svm" and machine.params["C"] == 10.0
    assert machine.preprocessing["scaler"] == "standard"
    assert machine.preprocessing["imputer"] == "median"
    columns = table.columns_of([forest, machine])
    # Two runs of the same forest: the first one is shown.
    assert table.scores("accuracy")[0, columns].tolist() == [0.875, 0.8125]
    assert table.scores("roc_auc_ovr_weighted")[0, columns[1]] == 0.85
    assert imported.excluded == {"iris": "iris"}
    assert dict(imported.dropped) == {
        "RandomForestClassifier: max_leaf_nodes=# is not in the catalogue": 1,
        "flow of weka, not scikit-learn": 1,
        "GradientBoostingClassifier: no such family in the catalogue": 1,
        "task of type 'Clustering'": 1,
    }
    named = dict(zip(table.metafeature_names, table.metafeatures[0], strict=True))
    assert named["log_n_rows"] == pytest.approx(np.log(16))


def test_losses_become_scores(client):
    imported = import_evaluations([3099], client=client)
    table = imported.base.table("regression", "full")
    assert table.scores("neg_mean_absolute_error").tolist() == [[-2.5]]
    assert table.configurations[0].family == "ridge"


def test_flows_can_be_chosen(client):
    table = import_evaluations([31], flows=[2], client=client).base.table("classification", "full")
    assert [own.family for own in table.configurations] == ["svm"]


def test_a_lost_connection_is_tried_again(server, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    client = OpenMLClient(tmp_path / "cache", server.url, pause=0.0, n_retries=3)
    server.failures = 1
    assert len(fetch_datasets(tmp_path / "data", dataset_ids=[31], client=client).rows) == 1


def test_a_stopped_fetch_goes_on(server, client, tmp_path):
    fetch_datasets(tmp_path / "data", task_ids=[31], client=client)
    server.failures = 1
    with pytest.raises(KnowledgeError, match="cannot be reached.*what was fetched is kept"):
        fetch_datasets(tmp_path / "data", task_ids=[31, 3099], client=client)
    fetched = fetch_datasets(tmp_path / "data", task_ids=[31, 3099], client=client)
    assert [row["name"] for row in fetched.rows] == ["credit-small", "price-small"]


def test_calls_are_spaced_out(server, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    import time

    client = OpenMLClient(tmp_path / "cache", server.url, pause=0.1, n_retries=1)
    start = time.monotonic()
    for _ in range(3):
        client.call(lambda: None)
    assert time.monotonic() - start >= 0.2


def test_offline_is_a_clear_error(tmp_path):
    client = OpenMLClient(tmp_path, "http://127.0.0.1:9/api/v1/xml", pause=0.0, n_retries=1)
    with pytest.raises(KnowledgeError, match="http://127.0.0.1:9.* cannot be reached"):
        fetch_datasets(tmp_path / "data", suite=99, client=client)


def test_the_clients_settings_are_left_as_they_were(client):
    config = client.openml.config
    before = config.server, config.connection_n_retries, config._root_cache_directory
    fetch_qualities([31], client=client)
    assert (config.server, config.connection_n_retries, config._root_cache_directory) == before


def test_without_the_package_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "openml", None)
    with pytest.raises(MissingDependencyError, match='pip install "openml'):
        OpenMLClient()


def test_openml_is_imported_only_when_called():
    code = "import sys, sk_metalearn.building;print('openml' in sys.modules)"
    root = str(Path(sk_metalearn.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert done.stdout.strip() == "False", done.stderr


def test_setups_that_cannot_be_read_say_why():
    assert read_setup("mlr.classif.ranger(1)", {}) == "flow of mlr, not scikit-learn"
    stacked = {"sklearn.svm.classes.SVC(1)_C": "1.0", "sklearn.linear_model.Ridge(1)_alpha": "1"}
    assert "a pipeline of Ridge, SVC" in read_setup(f"{PIPELINE}(1)", stacked)
    name = "sklearn.svm.classes.SVC"
    assert "unreadable value" in read_setup(f"{name}(1)", {f"{name}(1)_C": "<object at 0x1>"})
    assert "unreadable parameter" in read_setup(f"{name}(1)", {"C": "1.0"})


def test_adaboost_shows_the_depth_of_its_trees():
    boosting, tree = "sklearn.ensemble.AdaBoostClassifier", "sklearn.tree.DecisionTreeClassifier"
    name, params, _ = read_setup(
        f"{boosting}(base_estimator={tree})(1)",
        {
            f"{boosting}(base_estimator={tree})(1)_n_estimators": "70",
            f"{boosting}(base_estimator={tree})(1)_base_estimator": '{"value": null}',
            f"{tree}(2)_max_depth": "4",
        },
    )
    assert name == boosting
    assert params == {"n_estimators": 70, "estimator__max_depth": 4}
