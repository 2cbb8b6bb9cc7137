"""What holds for every table.

``pytest tests/tables/test_laws.py --tables 2000`` draws that many instead of 100.
"""

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

pytest.importorskip("pandas")
pytest.importorskip("polars")
pytest.importorskip("pyarrow")

from _drawn import NAMES, STORAGES, drawn, names_of, store  # noqa: E402

from sk_metalearn.metafeatures._tables import read_table  # noqa: E402
from sk_metalearn.spaces import Configuration, Schema, build_estimator, get_family  # noqa: E402
from sk_metalearn.tables import TableReader  # noqa: E402
from sk_metalearn.tables._check_table import check_table, conform  # noqa: E402
from sk_metalearn.tables._decide import decide  # noqa: E402

FAMILIES = ("hist_gradient_boosting", "ridge", "decision_tree")


def drawings(test):
    """Run a law on as many tables as the session asks for."""
    return settings(
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
        print_blob=False,
    )(test)


def _model(family, schema, encoder=None):
    own = get_family(family, "classification")
    preprocessing = {**own.preprocessing, **({"encoder": encoder} if encoder else {})}
    params = {"max_iter": 5} if family == "hist_gradient_boosting" else {}
    return build_estimator(Configuration(family, params, preprocessing), schema, 0)


@drawings
@given(
    drawn(),
    st.sampled_from(STORAGES),
    st.sampled_from(NAMES),
    st.sampled_from(FAMILIES),
    st.sampled_from([None, "target", "onehot"]),
)
def test_never_an_error_but_one_that_names_the_column(table, storage, naming, family, encoder):
    kinds, columns = list(table.kinds), table.columns()
    names = names_of(naming, len(columns))
    X = store(columns, kinds, names, storage)
    if X is None:
        return
    y = np.arange(60) % 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert read_table(X).n_columns == len(columns)
        if all(value is None for values in columns for value in values):
            with pytest.raises(ValueError, match="hold no value at all"):
                check_table(X, TableReader())
            return
        X = check_table(X, TableReader())
        schema = Schema.from_data(X, y)
        model = _model(family, schema, encoder).fit(X, y)
        found = model.predict(X)
        names_out = model[:-1].get_feature_names_out() if len(model) > 1 else None
    assert set(found) <= set(y)
    if names_out is not None:
        assert len(names_out) == model[:-1].transform(X).shape[1]


@drawings
@given(drawn(), st.sampled_from(STORAGES), st.sampled_from(STORAGES), st.sampled_from(FAMILIES))
def test_the_same_values_in_another_storage_are_the_same(table, first, second, family):
    kinds, columns = list(table.kinds), table.columns()
    if all(value is None for values in columns for value in values):
        return
    names = names_of("plain", len(columns))
    # A category is a logical type; storages that have none hold text.
    kinds = ["word" if kind == "category" else kind for kind in kinds]
    one, other = (store(columns, kinds, names, storage) for storage in (first, second))
    if one is None or other is None:
        return
    y = np.arange(60) % 2
    nameless = {"array"} & {first, second}
    roles = [[plan.role for plan in decide(X).plans] for X in (one, other)]
    if not nameless:
        assert roles[0] == roles[1]
    elif roles[0] != roles[1]:
        # Whole numbers that count the rows are told by a name.
        assert "count" in kinds
        return
    found = []
    for X in (one, other):
        X = check_table(X, TableReader())
        schema = Schema.from_data(X, y)
        model = _model(family, schema).fit(X, y)
        found.append(_response(model, X))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6, atol=1e-9)
    # What was fitted on the one predicts on the other.
    X = check_table(one, TableReader())
    layout = decide(X)
    model = _model(family, Schema.from_data(X, y, columns=layout)).fit(X, y)
    if layout.names is not None:
        rows = conform(other, layout)
        np.testing.assert_allclose(_response(model, rows), found[0], rtol=1e-6, atol=1e-9)


def _response(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.decision_function(X)


@drawings
@given(drawn(), st.sampled_from(STORAGES))
def test_reading_depends_on_nothing_but_the_row(table, storage):
    kinds, columns = list(table.kinds), table.columns()
    X = store(columns, kinds, names_of("plain", len(columns)), storage)
    if X is None:
        return
    reader = TableReader().fit(X)
    whole = reader.transform(X)
    assert whole.shape == (60, len(reader.get_feature_names_out()))
    half = [values[:7] for values in columns]
    some = reader.transform(store(half, kinds, names_of("plain", len(columns)), storage))
    assert _same(whole[:7], some)


def _same(first, second):
    return all(
        a == b or (a != a and b != b)
        for a, b in zip(first.ravel().tolist(), second.ravel().tolist(), strict=True)
    )
