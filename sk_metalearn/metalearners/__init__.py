"""Few-shot learners that learn across tasks: `meta_fit`, then `fit` and `predict`."""

from ._episodes import few_shot_scores, make_rotated_classes, make_sine_tasks, sample_episodes
from ._learned_optimizer import LearnedOptimizerClassifier, LearnedOptimizerRegressor
from ._maml import MAMLClassifier, MAMLRegressor
from ._mann import MANNClassifier, MANNRegressor
from ._matching import MatchingNetworkClassifier, MatchingNetworkRegressor
from ._meta_control import MetaControlClassifier, MetaControlRegressor
from ._meta_network import MetaNetworkClassifier, MetaNetworkRegressor
from ._ntm import NTMClassifier, NTMRegressor
from ._outer_loop import OuterLoop
from ._prototypical import PrototypicalNetworkClassifier
from ._reptile import ReptileClassifier, ReptileRegressor
from ._siamese import SiameseNetworkClassifier
from ._snail import SNAILClassifier, SNAILRegressor
from ._turing import NeuralTuringMachine, make_copy_sequences
from ._weights import MetaWeights

# For the strategies; no part of the public interface.
from ._backend import namespace as namespace  # isort: skip
from ._backend import relu as relu  # isort: skip
from ._backend import sigmoid as sigmoid  # isort: skip
from ._backend import softmax as softmax  # isort: skip
from ._backend import softplus as softplus  # isort: skip
from ._backend import value_and_grad as value_and_grad  # isort: skip
from ._networks import init_mlp as init_mlp  # isort: skip
from ._networks import mlp as mlp  # isort: skip
from ._networks import mlp_gradient as mlp_gradient  # isort: skip

__all__ = [
    "LearnedOptimizerClassifier",
    "LearnedOptimizerRegressor",
    "MAMLClassifier",
    "MAMLRegressor",
    "MANNClassifier",
    "MANNRegressor",
    "MatchingNetworkClassifier",
    "MatchingNetworkRegressor",
    "MetaControlClassifier",
    "MetaControlRegressor",
    "MetaNetworkClassifier",
    "MetaNetworkRegressor",
    "MetaWeights",
    "NTMClassifier",
    "NTMRegressor",
    "NeuralTuringMachine",
    "OuterLoop",
    "PrototypicalNetworkClassifier",
    "ReptileClassifier",
    "ReptileRegressor",
    "SNAILClassifier",
    "SNAILRegressor",
    "SiameseNetworkClassifier",
    "few_shot_scores",
    "make_copy_sequences",
    "make_rotated_classes",
    "make_sine_tasks",
    "sample_episodes",
]
