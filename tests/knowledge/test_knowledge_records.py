"""Records: tasks, evaluations, their JSON forms; names of metrics; fixed-point numbers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, get_scorer, get_scorer_names, make_scorer, mean_squared_error

from sk_metalearn.exceptions import KnowledgeError
from sk_metalearn.knowledge import METRICS, Evaluation, Status, Task, nearest_metric, task_id
from sk_metalearn.knowledge._codec import choose_codec, decode, encode


def test_evaluation_survives_json():
    evaluation = Evaluation(
        "a" * 12,
        "b" * 12,
        "timeout",
        {"accuracy": (0.5, math.nan)},
        fit_seconds=[1, 2],
        predict_seconds=(0.5, 0.5),
        reason="10 s",
        warnings=["not_converged"],
        confusions=[[[0, 0, 5], [1, 1, 3]]],
    )
    again = Evaluation.from_dict(evaluation.to_dict())
    assert again.to_dict() == evaluation.to_dict()
    assert again.status is Status.timeout
    assert again.key == evaluation.key
    assert math.isnan(again.metrics["accuracy"][1])
    assert evaluation.seconds == 2.0
    assert math.isnan(Evaluation("a", "b", 1).seconds)


@pytest.mark.parametrize("status", ["fine", 17, None])
def test_unknown_status(status):
    with pytest.raises(KnowledgeError, match="A status is one of"):
        Evaluation("a", "b", status)


def test_records_refuse_other_keys():
    with pytest.raises(KnowledgeError, match="keys"):
        Task.from_dict({"id": "a", "colour": "red"})
    with pytest.raises(KnowledgeError, match="incomplete"):
        Task.from_dict({"id": "a"})
    with pytest.raises(KnowledgeError, match="kind"):
        Task("a", "name", "clustering", "family", 10, 2)


def test_task_id_depends_on_every_part():
    ids = {
        task_id("openml", 31),
        task_id("openml", 3, 1),
        task_id("openml31"),
        task_id("openml", 32),
    }
    assert len(ids) == 4
    assert all(len(own) == 12 and set(own) <= set("0123456789abcdef") for own in ids)


@pytest.mark.parametrize("kind", METRICS)
def test_every_scoring_name_has_a_nearest_metric(kind):
    for name in get_scorer_names():
        nearest, exact = nearest_metric(name, kind)
        assert nearest in METRICS[kind]
        assert exact or nearest != name
        assert nearest_metric(get_scorer(name), kind) == (nearest, exact)


def test_nearest_metric():
    assert nearest_metric("accuracy", "classification") == ("accuracy", True)
    assert nearest_metric("f1_micro", "classification") == ("accuracy", True)
    assert nearest_metric("roc_auc", "classification") == ("roc_auc_ovr", True)
    assert nearest_metric("f1", "classification") == ("f1_macro", False)
    assert nearest_metric(None, "regression") == ("r2", True)
    assert nearest_metric("neg_mean_squared_error", "regression") == (
        "neg_root_mean_squared_error",
        False,
    )
    macro = make_scorer(f1_score, average="macro")
    assert nearest_metric(macro, "classification") == ("f1_macro", True)
    assert nearest_metric(make_scorer(mean_squared_error), "regression") == ("r2", False)
    assert nearest_metric(lambda estimator, X, y: 0.0, "regression") == ("r2", False)


def test_nearest_metric_among_those_stored():
    stored = ("balanced_accuracy", "f1_macro")
    assert nearest_metric("recall_macro", "classification", stored) == ("balanced_accuracy", True)
    assert nearest_metric("neg_log_loss", "classification", stored) == ("balanced_accuracy", False)
    with pytest.raises(KnowledgeError, match="No classification metric"):
        nearest_metric("accuracy", "classification", ())
    with pytest.raises(KnowledgeError, match="kind must be"):
        nearest_metric("accuracy", "ranking")


values = st.one_of(st.floats(-1e3, 1e3), st.just(math.nan))


@given(st.lists(st.lists(values, min_size=4, max_size=4), min_size=1, max_size=5))
def test_fixed_point_is_close_and_stable(rows):
    rows = np.array(rows)
    codes, ranges = encode(rows, "linear")
    back = decode(codes, ranges, "linear")
    assert np.array_equal(np.isnan(back), np.isnan(rows))
    spread = np.nan_to_num(ranges[:, 1] - ranges[:, 0])[:, None]
    assert np.all(np.isnan(rows) | (np.abs(back - rows) <= spread / 65534 + 1e-4))
    again = decode(*encode(back, "linear"), "linear")
    assert np.array_equal(again, back, equal_nan=True)


def test_one_diverged_model_does_not_coarsen_the_others():
    scores = np.array([[0.91, 0.92, -1e300, -50.0, np.nan]])
    codec = choose_codec("r2", scores)
    back = decode(*encode(scores, codec), codec)
    assert np.abs(back[0, :2] - scores[0, :2]).max() < 1e-4
    assert abs(back[0, 3] + 50) < 0.01
    assert back[0, 2] == pytest.approx(-999, rel=1e-3)
    assert np.isnan(back[0, 4])


def test_seconds_keep_their_relative_size():
    seconds = np.array([[1e-4, 3e-2, 10.0, 6e4]])
    back = decode(*encode(seconds, choose_codec("seconds", seconds)), "log")
    assert np.allclose(back, seconds, rtol=1e-3)


def test_scores_above_their_bound_are_not_clipped():
    scores = np.array([[0.5, 1.25]])
    assert choose_codec("r2", scores) == "linear"
    assert np.allclose(decode(*encode(scores, "linear"), "linear"), scores, atol=1e-4)


@pytest.mark.parametrize("metric", ["neg_mean_absolute_error", "neg_mean_squared_error"])
def test_errors_in_units_of_y_keep_their_size(metric):
    scores = np.array([[-52000.0, -31000.0, -900.0], [-0.5, -0.25, np.nan], [-2e9, -3e-3, -1.0]])
    codec = choose_codec(metric, scores)
    back = decode(*encode(scores, codec), codec)
    assert np.allclose(back[:2], scores[:2], rtol=1e-3, equal_nan=True)
    assert back[2] == pytest.approx(scores[2], rel=1e-3, abs=1e-3)
    assert choose_codec(metric, scores[1]) == "loss:0"


def test_an_infinite_error_stays_the_worst():
    scores = np.array([[-np.inf, -5000.0, -1.0]])
    codec = choose_codec("neg_max_error", scores)
    back = decode(*encode(scores, codec), codec)
    assert back[0] == pytest.approx([-1e30, -5000, -1], rel=2e-3)
