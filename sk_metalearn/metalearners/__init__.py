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

# isort: split
# For the other rooms; no part of the public interface.
from ._backend import namespace, relu, sigmoid, softmax, softplus, value_and_grad
from ._networks import init_mlp, mlp

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
