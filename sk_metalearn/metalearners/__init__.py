"""Few-shot learners that learn across tasks: `meta_fit`, then `fit` and `predict`."""

from ._maml import MAMLClassifier, MAMLRegressor
from ._matching import MatchingNetworkClassifier, MatchingNetworkRegressor
from ._prototypical import PrototypicalNetworkClassifier
from ._reptile import ReptileClassifier, ReptileRegressor
from ._siamese import SiameseNetworkClassifier
from ._tasks import few_shot_scores, make_rotated_classes, make_sine_tasks, sample_episodes
from ._training import OuterLoop
from ._weights import MetaWeights

__all__ = [
    "MAMLClassifier",
    "MAMLRegressor",
    "MatchingNetworkClassifier",
    "MatchingNetworkRegressor",
    "MetaWeights",
    "OuterLoop",
    "PrototypicalNetworkClassifier",
    "ReptileClassifier",
    "ReptileRegressor",
    "SiameseNetworkClassifier",
    "few_shot_scores",
    "make_rotated_classes",
    "make_sine_tasks",
    "sample_episodes",
]
