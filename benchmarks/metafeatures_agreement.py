"""Do the meta-features mean what OpenML's and pymfe's mean?

    python benchmarks/metafeatures_agreement.py openml --data DIR --out openml.csv
    python benchmarks/metafeatures_agreement.py pymfe --data DIR --out pymfe.csv

``DIR`` holds ``corpus/index.csv`` and ``corpus/<slug>.parquet`` (features, and a column ``target``)
and, for OpenML, ``tables/openml_qualities.csv.gz`` (a row per data id, a column per quality).

OpenML: every dataset whose rows, columns, numeric columns, missing values and classes match
OpenML's counts is compared; a pair agrees if ``|ours - theirs| <= 0.01 |theirs| + 0.001``.
pymfe: datasets without missing values, at ``fidelity="exact"``.

The table has a row per feature: pairs (one per dataset), how many agree, within what. The pairs that
differ, each with its reason, go into a second file beside it (``openml_differences.csv``).
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from sk_metalearn.metafeatures import MetaFeatureExtractor, list_meta_features

#: Why qualities differ on some datasets, found by looking at each.
LEVELS = "OpenML counts the levels that the ARFF header declares, also unused ones"
MISSING = "OpenML counts a missing category as the first one that the ARFF header declares"
FILLED = f"{MISSING} (equal when the first of our copy is filled in)"
QUALITY_REASONS = {
    "BinaryFeatures": LEVELS,
    "Entropy": MISSING,
    "Mutual": MISSING,
    "EquivalentNumber": MISSING,
    "NoiseToSignal": MISSING,
}
DATASET_REASONS = {
    "ada": "other rows of the agnostic-challenge data than OpenML's",
    "breast-tissue": "OpenML's copy holds codes of the values",
    "cloud": "other columns are numbers in OpenML's copy",
    "lsvt": "OpenML's copy has slightly other values",
    "mfeat-pixel": "OpenML's copy counts pixels from 1",
    "phoneme": "OpenML's copy is standardised",
}

#: Tolerances for pymfe where the procedure is not a closed form in double precision.
ITERATED = 1e-2, "pymfe iterates canonical correlations (NIPALS) to a tolerance of 1e-6"
ONE_ROW = "rows", "one row in a hundred may change sides: ties, and the version of scikit-learn"
LOOSE = {
    "can_cor": ITERATED,
    "w_lambda": ITERATED,
    "p_trace": ITERATED,
    "lh_trace": ITERATED,
    "roy_root": ITERATED,
    "one_nn": ONE_ROW,
    "elite_nn": ONE_ROW,
    "linear_discr": ONE_ROW,
}


def load(folder, slug):
    """Read a dataset of the corpus."""
    frame = pd.read_parquet(Path(folder) / "corpus" / f"{slug}.parquet")
    return frame.drop(columns="target"), frame["target"]


def matching(index, qualities):
    """Datasets of the corpus whose counts are OpenML's."""
    both = index[index["openml_id"].isin(qualities.index)].join(qualities, on="openml_id")
    regression = both["task"] == "regression"
    numeric = both["n_features"] - both["n_categorical"] + regression
    same = (
        (both["n_rows"] == both["NumberOfInstances"])
        & (both["n_features"] + 1 == both["NumberOfFeatures"])
        & (both["n_missing"] == both["NumberOfMissingValues"])
        & (numeric == both["NumberOfNumericFeatures"])
        & (regression | (both["n_classes"] == both["NumberOfClasses"]))
    )
    return both[same]


def openml(folder):
    """Compare with OpenML's qualities."""
    index = pd.read_csv(Path(folder) / "corpus" / "index.csv")
    qualities = pd.read_csv(Path(folder) / "tables" / "openml_qualities.csv.gz").set_index("Id")
    names = [feature.name for feature in list_meta_features() if feature.openml]
    extractor = MetaFeatureExtractor(groups=names, fidelity="exact")
    rows = []
    for _, dataset in matching(index, qualities).iterrows():
        X, y = load(folder, dataset["slug"])
        filled = None
        for name, ours in extractor.extract(X, y, dataset["task"]).items():
            theirs = dataset[name]
            if np.isfinite(theirs):
                agrees = abs(ours - theirs) <= 0.01 * abs(theirs) + 0.001
                reason = "" if agrees else openml_reason(dataset["slug"], name, X)
                if reason == MISSING:
                    filled = filled or extractor.extract(fill(X), y, dataset["task"])
                    if abs(filled[name] - theirs) <= 1e-6 * abs(theirs) + 1e-9:
                        reason = FILLED
                tolerance = "0.01 |theirs| + 0.001"
                rows.append((dataset["slug"], name, ours, theirs, agrees, tolerance, reason))
    return rows


def openml_reason(slug, quality, X):
    """Say why a quality differs, or nothing."""
    if slug in DATASET_REASONS:
        return DATASET_REASONS[slug]
    for part, reason in QUALITY_REASONS.items():
        symbols = X.select_dtypes("category")
        if part in quality and (part == "BinaryFeatures" or symbols.isna().to_numpy().any()):
            return reason
    return ""


def fill(X):
    """Put the first category of a column where it is missing."""
    symbols = X.select_dtypes("category")
    return X.assign(**{name: column.fillna(column.cat.categories[0])
                       for name, column in symbols.items()})  # fmt: skip


def pymfe_data(folder, most):
    """Yield classification datasets without missing values, scikit-learn's own first."""
    for loader in (load_iris, load_wine, load_breast_cancer, load_digits):
        yield loader.__name__, *loader(return_X_y=True)
    index = pd.read_csv(Path(folder) / "corpus" / "index.csv")
    fit = (
        (index["task"] == "classification")
        & (index["n_missing"] == 0)
        & index["n_rows"].between(100, 800)
        & index["n_features"].between(3, 40)
        & (index["n_classes"] <= 6)
    )
    for slug in index[fit].drop_duplicates("group")["slug"].sample(frac=1, random_state=0)[:most]:
        yield slug, *load(folder, slug)


def pymfe(folder, most=24):
    """Compare with pymfe."""
    from pymfe.mfe import MFE

    features = [feature for feature in list_meta_features("classification") if feature.pymfe]
    extractor = MetaFeatureExtractor(groups=[f.name for f in features], fidelity="exact")
    main = ["general", "statistical", "info-theory", "model-based", "landmarking", "relative"]
    rows = []
    for name, X, y in pymfe_data(folder, most):
        ours = extractor.extract(X, y, "classification")
        columns = None
        if hasattr(X, "columns"):
            kinds = [str(dtype) for dtype in X.dtypes]
            columns = [j for j, kind in enumerate(kinds) if kind == "category"] or None
            X = X.astype(object).to_numpy() if columns else X.to_numpy(float)
            y = y.astype(str).to_numpy()
        theirs = {}
        for groups, chosen in ((main, "all"), (["complexity"], "all"), (["clustering"], ["sc"])):
            mfe = MFE(groups=groups, features=chosen, random_state=0, suppress_warnings=True)
            mfe.fit(X, y, cat_cols=columns, suppress_warnings=True)
            theirs |= dict(zip(*mfe.extract(suppress_warnings=True), strict=True))
        for feature in features:
            other = theirs.get(feature.pymfe, np.nan)
            if np.isfinite(other):
                tolerance, reason = LOOSE.get(feature.pymfe.split(".")[0], (1e-6, ""))
                if feature.pymfe.endswith(".relative"):
                    reason = "ranks of landmarkers of which one differs by a row"
                if tolerance == "rows":
                    # folds have a tenth of the rows: one more or less moves mean and spread
                    agrees = abs(ours[feature.name] - other) <= 0.01
                else:
                    agrees = np.isclose(ours[feature.name], other, rtol=tolerance, atol=1e-9)
                words = "0.01" if tolerance == "rows" else f"{tolerance:g} |theirs|"
                rows.append((name, feature.name, ours[feature.name], other, agrees, words))
                rows[-1] += (extractor.reasons_.get(feature.name, reason),)
        print(f"{name}: {sum(row[4] for row in rows if row[0] == name)} of "
              f"{sum(row[0] == name for row in rows)} agree", flush=True)  # fmt: skip
    return rows


def report(rows):
    """Sum up by feature, list what differs, and print both in short."""
    names = ["dataset", "feature", "ours", "theirs", "agrees", "tolerance", "reason"]
    table = pd.DataFrame(rows, columns=names)
    differ = table[~table["agrees"]].drop(columns=["agrees", "tolerance"])
    print(
        f"{table['feature'].nunique()} features, {table['dataset'].nunique()} datasets, "
        f"{len(table)} pairs: {table['agrees'].mean():.2%} agree, "
        f"{(differ['reason'] == '').sum()} of the others unexplained"
    )
    for reason, pairs in differ.groupby("reason").size().items():
        print(f"{pairs:5d}  {reason}")
    by_feature = table.groupby("feature", sort=False)
    summary = by_feature.agg(
        pairs=("agrees", "size"), agree=("agrees", "sum"), tolerance=("tolerance", "first")
    )
    return summary, differ


def main():
    """Compare and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("witness", choices=["openml", "pymfe"])
    parser.add_argument("--data", required=True, help="folder with corpus/ and tables/")
    parser.add_argument("--out", required=True, help="where the table goes")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    compare = {"openml": openml, "pymfe": pymfe}[arguments.witness]
    summary, differ = report(compare(arguments.data))
    out = Path(arguments.out)
    summary.to_csv(out)
    differ.to_csv(out.with_stem(f"{out.stem}_differences"), index=False, float_format="%.9g")


if __name__ == "__main__":
    main()
