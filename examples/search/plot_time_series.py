"""
A time series
=============

Train on the past, test on what comes after: `TimeSeriesSplit` as folds. What the past says
becomes columns: values of earlier days, the weekday.
"""

# %%
# Four years of daily sales with a week's rhythm, a year's rhythm and a trend.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import TimeSeriesSplit

from sk_metalearn import AutoRegressor

rng = np.random.default_rng(0)
days = pd.date_range("2021-01-01", periods=900, freq="D")
week = np.where(days.dayofweek >= 5, -30, 10)
sales = 200 + 0.05 * np.arange(900) + week + 25 * np.sin(2 * np.pi * days.dayofyear / 365)
sales = pd.Series(sales + rng.normal(0, 8, 900), index=days)
table = pd.DataFrame(
    {
        "day": days,
        "a_week_ago": sales.shift(7).to_numpy(),
        "two_weeks_ago": sales.shift(14).to_numpy(),
        "mean_of_four_weeks": sales.shift(7).rolling(28).mean().to_numpy(),
    }
).iloc[35:]
target = sales.iloc[35:].to_numpy()
past, future = slice(0, 775), slice(775, None)

# %%
# A warning says that past datasets were measured on shuffled rows.
auto = AutoRegressor(n_iter=8, cv=TimeSeriesSplit(3), random_state=0)
auto.fit(table.iloc[past], target[past])
predicted = auto.predict(table.iloc[future])
naive = table["a_week_ago"].to_numpy()[future]
print(f"mean error {np.abs(predicted - target[future]).mean():.1f}, ", end="")
print(f"of last week's value {np.abs(naive - target[future]).mean():.1f}")

# %%
figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
axes.plot(table["day"].iloc[future], target[future], color="0.6", label="sales")
axes.plot(table["day"].iloc[future], predicted, color="C0", label="predicted")
axes.set_ylabel("sales of a day")
axes.tick_params(axis="x", rotation=30)
axes.legend()
plt.show()
