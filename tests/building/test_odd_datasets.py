"""One odd dataset of a fetch costs itself; the others are written."""

from types import SimpleNamespace

import numpy as np
import pytest

from sk_metalearn.building._openml_datasets import Unreachable, fetch_datasets

pandas = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")


def table(**columns):
    return pandas.DataFrame({"a": np.arange(30.0), **columns})


MIXED = table(b=pandas.Series([1, "x", (2,)] * 10, dtype=object))
TWINS = pandas.DataFrame(np.zeros((30, 2)), columns=["a", "a"])
NESTED = table(b=pandas.Series([{"k": [i]} for i in range(30)], dtype=object))


class Client:
    """Serves datasets from a list instead of a server."""

    def __init__(self, **datasets):
        self.datasets = datasets
        self.openml = SimpleNamespace(
            datasets=SimpleNamespace(get_dataset=self.get), tasks=None, study=None
        )

    def call(self, function, *args, **options):
        return function(*args, **options)

    def get(self, number, **options):
        name, X = self.datasets[f"d{number}"]
        if isinstance(X, Exception):
            raise X
        y = pandas.Series(["u", "v"] * 15, dtype="category")
        return SimpleNamespace(
            name=name,
            default_target_attribute="y",
            licence="public",
            get_data=lambda target: (X, y, [False] * X.shape[1], list(X.columns)),
        )


def test_odd_datasets_cost_themselves_alone(tmp_path):
    client = Client(
        d1=("good", table()),
        d2=("x" * 300, table(b=np.zeros(30))),
        d3=("mixed", MIXED),
        d4=("twins", TWINS),
        d5=("nested", NESTED),
        d6=("broken", ValueError("a cell of the data")),
        d7=("../../evil\x1b[2J", table(c=np.ones(30), d=np.ones(30))),
        d8=("last", table(e=np.ones(30), f=np.ones(30), g=np.ones(30))),
    )
    fetched = fetch_datasets(tmp_path / "out", dataset_ids=range(1, 9), client=client)
    names = [row["name"] for row in fetched.rows]
    assert names[0] == "good" and names[-1] == "last" and "x" * 255 in names
    assert "../../evil\\x1b[2J" in names
    assert {"data 4", "data 5", "data 6"} <= set(fetched.dropped)
    assert "two columns bear the same name" in fetched.dropped["data 4"]
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {f"{row['slug']}.parquet" for row in fetched.rows} | {"index.csv"}
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


def test_a_server_that_is_away_ends_the_fetch(tmp_path):
    client = Client(d1=("a", Unreachable("OpenML cannot be reached")), d2=("b", table()))
    with pytest.raises(Unreachable):
        fetch_datasets(tmp_path / "out", dataset_ids=[1, 2], client=client)
