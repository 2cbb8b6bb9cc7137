"""The register is complete and the documentation says what it says."""

from pathlib import Path

import pytest

from sk_metalearn.metafeatures import list_meta_features
from sk_metalearn.metafeatures._default import DEFAULT
from sk_metalearn.metafeatures._reference import SOURCES, reference
from sk_metalearn.metafeatures._registry import COSTS, GROUPS, KINDS

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "metafeatures_reference.rst"


def test_every_entry_is_complete():
    for feature in list_meta_features():
        assert feature.name.isidentifier()
        assert feature.definition.endswith(".") and len(feature.definition) > 10
        assert feature.group in GROUPS and feature.cost in COSTS
        assert set(feature.kinds) <= set(KINDS)
        assert feature.source in SOURCES
        assert feature.unit
        if not feature.range.startswith("{"):
            low, high = (float(end) for end in feature.range[1:-1].split(","))
            assert low < high


def test_no_two_features_claim_to_be_the_same():
    for witness in ("openml", "pymfe"):
        claims = [getattr(f, witness) for f in list_meta_features() if getattr(f, witness)]
        assert len(claims) == len(set(claims))


def test_default_set():
    names = {feature.name for feature in list_meta_features()}
    assert set(DEFAULT) <= names and len(DEFAULT) == len(set(DEFAULT))
    # cheap: nothing that trains in folds or needs all distances
    costs = {feature.cost for feature in list_meta_features(groups="default")}
    assert costs <= {"scan", "order", "pairs", "probe"}


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not here")
def test_reference_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == reference()
