"""The shards of the repository are those that were measured."""

import hashlib
from pathlib import Path

import pytest

SHARDS = Path(__file__).parents[2] / "shards"


@pytest.mark.skipif(not SHARDS.is_dir(), reason="a source archive has no shards")
def test_shards_are_those_of_the_manifest():
    lines = (SHARDS / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    told = {name: digest for digest, name in (line.split("  ") for line in lines)}
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in SHARDS.iterdir()
        if path.name != "SHA256SUMS"
    }
    assert found == told
