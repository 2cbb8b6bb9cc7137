"""
====================================
Describing datasets by meta-features
====================================

A meta-feature is a named number that describes a dataset. This example measures scikit-learn's
bundled datasets, looks at what cannot be measured and why, and draws the datasets so that similar
ones lie near each other.
"""

# %%
# One dataset
# -----------
# ``extract`` takes any table: arrays, pandas and polars frames, sparse matrices; with missing
# values, text, booleans and dates. The names are known before any data is seen.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_metalearn.metafeatures import MetaFeatureExtractor, list_meta_features

X, y = datasets.load_wine(return_X_y=True, as_frame=True)
extractor = MetaFeatureExtractor()
for name, value in extractor.extract(X, y).items():
    print(f"{name:28s}{value:10.3f}")

# %%
# What cannot be measured is NaN, with a reason.
extractor.reasons_

# %%
# Everything there is
# -------------------
# ``groups="all"`` computes all of them; the register says what each one is.
everything = MetaFeatureExtractor(groups="all")
print(len(everything.extract(X, y)), "numbers;", "seconds by group:")
print({group: round(seconds, 3) for group, seconds in everything.seconds_.items()})
feature = next(f for f in list_meta_features() if f.name == "n1")
print(feature.definition, feature.range, feature.source)

# %%
# Many datasets
# -------------
# ``transform`` makes a frame of a list of datasets, one row each.
rng = np.random.RandomState(0)
tasks = {
    "iris": datasets.load_iris(return_X_y=True),
    "wine": datasets.load_wine(return_X_y=True),
    "breast cancer": datasets.load_breast_cancer(return_X_y=True),
    "digits": datasets.load_digits(return_X_y=True),
    "moons": datasets.make_moons(500, noise=0.2, random_state=0),
    "moons, other seed": datasets.make_moons(700, noise=0.2, random_state=1),
    "circles": datasets.make_circles(500, noise=0.1, factor=0.5, random_state=0),
    "hastie": datasets.make_hastie_10_2(1000, random_state=0),
    "noise": (rng.normal(size=(500, 10)), rng.randint(0, 2, 500)),
    "noise, 4 classes": (rng.normal(size=(800, 15)), rng.randint(0, 4, 800)),
}
frame = MetaFeatureExtractor().fit_transform(list(tasks.values()))
frame.index = list(tasks)
frame[["log_n_rows", "log_n_columns", "log_n_classes"]].round(2)

# %%
# Two principal components of the description: noise lies with noise, the two draws of the moons
# side by side.
columns = frame.columns[frame.nunique() > 1]
scale = make_pipeline(SimpleImputer(), StandardScaler())
flat = PCA(2).fit_transform(scale.fit_transform(frame[columns]))
fig, ax = plt.subplots(figsize=(6.5, 4.5), layout="constrained")
ax.scatter(*flat.T)
for name, place in zip(frame.index, flat, strict=True):
    ax.annotate(name, place, xytext=(4, 4), textcoords="offset points")
ax.set(xlabel="first component", ylabel="second component")
plt.show()

# %%
# A table with all sorts of columns
# ---------------------------------
mixed = pd.DataFrame(
    {
        "amount": rng.lognormal(size=300),
        "city": rng.choice(["Leiden", "Porto", "Wien"], 300),
        "member": rng.rand(300) < 0.3,
        "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.randint(0, 365, 300), unit="D"),
    }
)
mixed.loc[rng.rand(300) < 0.1, "amount"] = np.nan
found = MetaFeatureExtractor(groups=["simple", "missing"]).extract(mixed)
{name: found[name] for name in ("n_numeric", "n_categorical", "n_dates", "fraction_missing")}
