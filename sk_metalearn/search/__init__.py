"""The estimators a user meets: searches and recommendations."""

from ._auto import AutoClassifier, AutoRegressor
from ._best_index import OneStandardError
from ._code import to_code
from ._meta_search import MetaSearchCV
from ._options import CandidateLimits
from ._recommend import Recommendation, Recommendations, recommend
from ._score_estimate import ScoreEstimate

# For the other rooms; no part of the public interface.
from ._leaderboard import leaderboard_rows as leaderboard_rows  # isort: skip
from ._leaderboard import name_of_score as name_of_score  # isort: skip
from ._settings_text import settings_text as settings_text  # isort: skip
from ._show import as_html as as_html  # isort: skip
from ._show import as_text as as_text  # isort: skip
from ._show import show_number as show_number  # isort: skip
from ._show import show_seconds as show_seconds  # isort: skip
from ._stopped_boosting import StoppedPipeline as StoppedPipeline  # isort: skip

__all__ = [
    "AutoClassifier",
    "AutoRegressor",
    "CandidateLimits",
    "MetaSearchCV",
    "OneStandardError",
    "Recommendation",
    "Recommendations",
    "ScoreEstimate",
    "recommend",
    "to_code",
]
