"""The command line on tables of one's own: recommend, fit, predict, report."""

import json
import subprocess
import sys

import joblib
import numpy as np
import pytest

from sk_metalearn import cli
from sk_metalearn.cli._data_commands import _rounded, _six_digits

pandas = pytest.importorskip("pandas")
rng = np.random.default_rng(0)
N = 120
TABLE = pandas.DataFrame(
    {
        "customer": [f"{i:05d}" for i in range(N)],
        "age": rng.integers(18, 80, N),
        "plan": rng.choice(["free", "prö", "team"], N),
        "spend": rng.lognormal(3, 1, N).round(2),
    }
)
TABLE["churn"] = np.where((TABLE["age"] > 45) ^ (TABLE["plan"] == "free"), "yes", "no")
QUICK = ["--families", "lda", "gaussian_nb", "--n-iter", 2, "--cv", 2, "--seed", 0]


def run(capsys, *words):
    status = cli.main([str(word) for word in words])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    TABLE.to_csv(folder / "churn.csv", index=False)
    words = ["fit", folder / "churn.csv", "--target", "churn", "--out", folder / "model.joblib"]
    words += [*QUICK, "--report", folder / "report.html", "--quiet"]
    assert cli.main([str(word) for word in words]) == 0
    return folder


def _write(path, kind):
    if kind == "semicolons":
        TABLE.to_csv(path, index=False, sep=";", decimal=",")
    elif kind == "tabs":
        TABLE.to_csv(path, index=False, sep="\t")
    elif kind == "latin":
        TABLE.to_csv(path, index=False, encoding="cp1252")
    elif kind == "utf-16":
        TABLE.to_csv(path, index=False, encoding="utf-16")
    elif kind == "gz":
        TABLE.to_csv(path, index=False)
    elif kind == "jsonl":
        TABLE.to_json(path, orient="records", lines=True)
    else:
        getattr(TABLE, f"to_{kind}")(path)


@pytest.mark.parametrize(
    "name, kind",
    [
        ("a.csv", "semicolons"),
        ("a.tsv", "tabs"),
        ("a.csv", "latin"),
        ("a.csv", "utf-16"),
        ("a.csv.gz", "gz"),
        ("a.jsonl", "jsonl"),
        ("a.parquet", "parquet"),
        ("a.feather", "feather"),
    ],
)
def test_a_table_is_the_same_from_any_file(tmp_path, name, kind):
    if kind in ("parquet", "feather"):
        pytest.importorskip("pyarrow")
    _write(tmp_path / name, kind)
    read = cli._data_file.read_data(str(tmp_path / name), as_text=["customer"])
    assert list(read.columns) == list(TABLE.columns)
    assert read["spend"].tolist() == TABLE["spend"].tolist()
    assert read["plan"].tolist() == TABLE["plan"].tolist()
    if kind != "jsonl":
        assert read["customer"].astype(str).tolist() == TABLE["customer"].tolist()


def test_recommend(folder, capsys):
    words = ["recommend", folder / "churn.csv", "--target", "churn", "-n", 2]
    status, out, err = run(capsys, *words)
    assert status == 0 and "2 recommended classification models by accuracy" in out
    assert all(len(line) <= 100 for line in out.splitlines()[:5])
    assert err.startswith("warning: Columns of X are left out: ['customer']")
    assert "give its role, such as --columns NAME=category" in err
    status, out, _ = run(capsys, *words, "--code")
    assert status == 0 and "model = Pipeline(" in out
    compile(out, "model.py", "exec")
    status, out, _ = run(capsys, *words, "--json", "--columns", "customer=ignore")
    found = json.loads(out)
    assert [own["rank"] for own in found] == [1, 2] and found[0]["evidence"]
    names = {}
    exec(found[0]["code"], names)
    X = TABLE.drop(columns="churn")
    assert names["model"].fit(X, TABLE["churn"]).score(X, TABLE["churn"]) > 0.6


def test_what_fit_wrote_predicts_beside_the_ids(folder, capsys, tmp_path):
    new = TABLE.drop(columns="churn")[["spend", "plan", "age", "customer"]]
    new.to_csv(tmp_path / "new.csv", index=False)
    words = ["predict", folder / "model.joblib", tmp_path / "new.csv"]
    out_file = tmp_path / "predictions.csv"
    status, out, err = run(capsys, *words, "--ids", "customer", "--proba", "--out", out_file)
    assert status == 0 and "120 predictions are in" in out
    assert "runs the code that is in it" in err
    written = pandas.read_csv(out_file, dtype={"customer": str})
    assert written["customer"].tolist() == TABLE["customer"].tolist()
    model = joblib.load(folder / "model.joblib")
    expected = model.predict_proba(new.assign(customer=range(N)))
    assert list(written.columns) == ["customer", "prediction", "proba_no", "proba_yes"]
    np.testing.assert_allclose(written[["proba_no", "proba_yes"]], expected, atol=5e-7, rtol=0)
    assert max(map(len, out_file.read_text().splitlines()[1:])) < 40
    assert written["prediction"].tolist() == model.classes_[expected.argmax(axis=1)].tolist()
    status, out, _ = run(capsys, *words)
    assert status == 0 and out.startswith("customer,prediction\n") and len(out.splitlines()) == 121
    status, out, _ = run(capsys, *words, "--json")
    assert set(json.loads(out)[0]) == {"customer", "prediction"}
    status, _, err = run(capsys, *words, "--out", out_file)
    assert status == 1 and "is there already" in err
    assert run(capsys, *words, "--out", out_file, "--force")[0] == 0


@pytest.mark.parametrize(
    ("predicted", "written"),
    [
        ([1234567.891, 12.3456789], [1234568.0, 12.0]),
        ([0.0123456789, -0.5], [0.0123457, -0.5]),
        ([2e-9 / 3, 0.0], [6.666667e-10, 0.0]),
        ([0.0], [0.0]),
    ],
)
def test_predictions_have_seven_digits(predicted, written):
    assert _rounded(np.array(predicted)).tolist() == written


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_probabilities_have_six_digits(dtype):
    chances = np.array([1 / 3, 2e-9 / 3, 1.0, 0.0], dtype=dtype)
    assert _six_digits(chances) == [0.333333, 6.66667e-10, 1.0, 0.0]


def test_fit_says_what_it_found(folder, capsys, tmp_path):
    words = ["fit", folder / "churn.csv", "--target", "churn", "--out", tmp_path / "m.joblib"]
    status, out, err = run(capsys, *words, *QUICK)
    assert status == 0 and "120 rows, 4 columns, target 'churn': classification" in out
    assert "sk-metalearn predict" in out and "Fitting 2 folds" in err and "Fitting" not in out
    assert all(len(line) <= 100 for line in out.splitlines()[2:-1])
    status, out, _ = run(capsys, *words, *QUICK, "--json", "--force", "--scoring", "roc_auc_ovr")
    told = json.loads(out)
    assert told["metric"] == "roc_auc_ovr" and told["leaderboard"][0]["rank"] == 1
    status, _, err = run(capsys, *words, *QUICK)
    assert status == 1 and "--force" in err
    words[3] = "spend"
    status, out, _ = run(capsys, *words, "--families", "ridge", "--n-iter", 1, "--force")
    assert status == 0 and "regression" in out


def test_report_is_a_page(folder, capsys, tmp_path):
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "What the predictions depend on" in page and "prö" not in page.split("<pre>")[0]
    page = tmp_path / "again.html"
    words = ["report", folder / "model.joblib", "--out", page]
    assert run(capsys, *words)[0] == 0 and "<svg" in page.read_text(encoding="utf-8")
    status, _, err = run(capsys, *words, "--force", "--data", folder / "churn.csv")
    assert status == 1 and "both --data and --target" in err


def test_rows_without_a_target_are_left_out_and_counted(tmp_path, capsys):
    table = TABLE.copy()
    table.loc[:9, "churn"] = None
    table.to_csv(tmp_path / "gaps.csv", index=False)
    words = ["recommend", tmp_path / "gaps.csv", "--target", "churn", "-n", 1]
    status, _, err = run(capsys, *words)
    assert status == 0 and "10 rows without a value of 'churn'" in err


def test_a_target_of_money_is_a_number(tmp_path, capsys):
    table = TABLE.copy()
    table["price"] = [f"${1000 + 7 * k:,}" for k in range(len(table))]
    table.to_csv(tmp_path / "money.csv", index=False, sep=";")
    words = ["recommend", tmp_path / "money.csv", "--target", "price", "-n", 1]
    status, out, err = run(capsys, *words)
    assert status == 0 and "regression" in out
    assert "'$1,000' as 1000" in err


@pytest.mark.parametrize(
    "words, said",
    [
        ("predict nothing.joblib churn.csv", "nothing.joblib"),
        ("predict churn.csv churn.csv", "is no model file"),
        ("predict model.joblib churn.csv --ids custome", "did you mean 'customer'?"),
        ("fit churn.csv --target churn --out x.joblib --scoring acuracy", "'accuracy'"),
        ("fit churn.csv --target churn --out x.joblib --columns customer", "NAME=ROLE"),
        ("recommend churn.csv --target churn --knowledge no.npz", "no knowledge base at 'no.npz'"),
        ("recommend churn.csv --target plans", "No column 'plans' (did you mean 'plan'?)"),
        ("recommend no.csv --target churn", "there is no such file"),
        ("fit churn.csv --target churn --out no/x.joblib", "there is no folder 'no'"),
        ("fit churn.csv --target churn --out x.joblib --report no/x.html", "no folder 'no'"),
        ("fit churn.csv --target churn --out . --force", "it is a folder"),
        ("predict model.joblib churn.csv --out no/x.csv", "there is no folder 'no'"),
        ("recommend . --target churn", "it is a folder"),
        ("recommend empty.csv --target churn", "it is empty"),
        ("recommend head.csv --target churn", "has no rows"),
        ("predict model.joblib head.csv", "has no rows"),
        ("recommend gaps.csv --target churn", "'churn' has no value in any row"),
    ],
)
def test_mistakes_are_errors_of_one_line(folder, capsys, monkeypatch, words, said):
    monkeypatch.chdir(folder)
    for name, text in {"empty": "", "head": "age,churn\n", "gaps": "age,churn\n1,\n2,\n"}.items():
        (folder / f"{name}.csv").write_text(text)
    status, out, err = run(capsys, *words.split())
    assert status == 1 and out == "" and not (folder / "x.joblib").exists()
    errors = [line for line in err.splitlines() if not line.startswith(("note: ", "warning: "))]
    assert len(errors) == 1 and errors[0].startswith("error: ") and said in errors[0]


def test_the_package_is_the_command_line():
    done = subprocess.run(
        [sys.executable, "-m", "sk_metalearn", "--version"], capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stdout.startswith("sk_metalearn ")


@pytest.mark.parametrize("words", [(), ("kb",)])
def test_without_a_command_there_is_help(capsys, words):
    with pytest.raises(SystemExit) as stop:
        cli.main(list(words))
    assert stop.value.code == 0 and "COMMAND" in capsys.readouterr().out


def test_codes_keep_their_zeros(folder, capsys, tmp_path):
    path = tmp_path / "codes.csv"
    path.write_text("zip,size,share\n01099,07,0.5\n,12,0.25\n10115,3,01\n")
    table = cli._data_file.read_data(str(path))
    assert table["zip"].dropna().tolist() == ["01099", "10115"]
    assert table["size"].tolist() == ["07", "12", "3"] and table["share"].sum() == 1.75
    _, labels = cli._data_file.read_task(str(path), "size")
    assert labels.tolist() == ["07", "12", "3"]
    TABLE.drop(columns="churn").to_csv(tmp_path / "new.csv", index=False)
    status, out, _ = run(capsys, "predict", folder / "model.joblib", tmp_path / "new.csv")
    assert status == 0 and out.splitlines()[1].startswith("00000,")


def test_every_command_has_help(capsys):
    for words in (["recommend"], ["fit"], ["predict"], ["report"], ["kb", "build"]):
        with pytest.raises(SystemExit) as stop:
            cli.main([*words, "--help"])
        assert stop.value.code == 0 and "usage: sk-metalearn" in capsys.readouterr().out
