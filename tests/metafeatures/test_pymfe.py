"""pymfe as a second witness, where it is installed."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris, load_wine, make_classification

from sk_metalearn.metafeatures import MetaFeatureExtractor, list_meta_features

mfe = pytest.importorskip("pymfe.mfe")

#: Iterated to a tolerance by pymfe: relative tolerance.
LOOSE = {
    **dict.fromkeys(("canonical_correlation_mean", "canonical_correlation_sd"), 1e-2),
    **dict.fromkeys(("wilks_lambda", "pillai_trace", "lawley_hotelling_trace", "roy_root"), 1e-2),
}

DATA = {
    "iris": lambda: load_iris(return_X_y=True),
    "wine": lambda: load_wine(return_X_y=True),
    "breast_cancer": lambda: load_breast_cancer(return_X_y=True),
    "made": lambda: make_classification(
        400, 8, n_informative=4, n_redundant=0, n_classes=3, weights=[0.6, 0.3], random_state=0
    ),
}


@pytest.mark.parametrize("name", DATA)
def test_same_values(name):
    X, y = DATA[name]()
    features = [
        feature for feature in list_meta_features("classification") if feature.pymfe is not None
    ]
    assert len(features) > 130
    extractor = MetaFeatureExtractor(groups=[f.name for f in features], fidelity="exact")
    ours = extractor.extract(X, y)
    groups = ["general", "statistical", "info-theory", "model-based", "landmarking", "relative"]
    theirs = {}
    for some in (groups, ["complexity"], ["clustering"]):
        kwargs = {"features": ["sc"]} if some == ["clustering"] else {}
        witness = mfe.MFE(groups=some, random_state=0, suppress_warnings=True, **kwargs)
        witness.fit(X, y, suppress_warnings=True)
        theirs |= dict(zip(*witness.extract(suppress_warnings=True), strict=True))
    compared = 0
    for feature in features:
        other = theirs[feature.pymfe]
        if np.isfinite(other):
            compared += 1
            assert ours[feature.name] == pytest.approx(
                other, rel=LOOSE.get(feature.name, 1e-6), abs=1e-9
            ), feature.name
    assert compared > 100
