"""Weights on disk."""

import json

import numpy as np
import pytest

from sk_metalearn.exceptions import WeightsError
from sk_metalearn.metalearners import MetaWeights


@pytest.fixture
def weights():
    params = {"W0": np.arange(6, dtype=np.float32).reshape(2, 3), "scale": np.float32(2)}
    return MetaWeights("maml", "regression", 2, params, {"x_mean": np.zeros(2)})


def test_round_trip(weights, tmp_path):
    weights.save(tmp_path / "w.npz")
    back = MetaWeights.load(tmp_path / "w.npz")
    assert (back.method, back.kind, back.n_features) == ("maml", "regression", 2)
    for name in ("params", "scaling"):
        before, after = getattr(weights, name), getattr(back, name)
        assert before.keys() == after.keys()
        for key in before:
            np.testing.assert_array_equal(before[key], after[key])
            assert np.asarray(before[key]).dtype == after[key].dtype


def test_names_must_end_in_npz(weights, tmp_path):
    with pytest.raises(ValueError, match="npz"):
        weights.save(tmp_path / "w.pkl")


def test_a_damaged_file_is_named(weights, tmp_path):
    path = tmp_path / "w.npz"
    with pytest.raises(WeightsError, match="w.npz"):
        MetaWeights.load(path)
    weights.save(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(WeightsError, match="w.npz"):
        MetaWeights.load(path)
    np.savez(path, a=np.ones(3))
    with pytest.raises(WeightsError, match="w.npz"):
        MetaWeights.load(path)


def test_a_pickle_is_never_opened(tmp_path):
    path = tmp_path / "w.npz"
    np.savez(path, header=np.array([{"format": "sk_metalearn.metalearners"}], dtype=object))
    with pytest.raises(WeightsError, match="cannot be read"):
        MetaWeights.load(path)


def test_a_newer_version_says_so(weights, tmp_path):
    path = tmp_path / "w.npz"
    header = {"format": "sk_metalearn.metalearners", "version": 99}
    np.savez(path, header=np.array(json.dumps(header)))
    with pytest.raises(WeightsError, match="version 99.*up to version 1"):
        MetaWeights.load(path)


def test_representation(weights):
    assert repr(weights) == (
        "MetaWeights(method='maml', kind='regression', n_features=2, n_numbers=7)"
    )


def test_where_weights_come_from_is_kept(tmp_path):
    about = {"knowledge": "0123456789abcdef", "package": "0.1"}
    weights = MetaWeights("maml", "regression", 1, {"W0": np.zeros((1, 1))}, {}, about)
    weights.save(tmp_path / "weights.npz")
    assert MetaWeights.load(tmp_path / "weights.npz").about == about
