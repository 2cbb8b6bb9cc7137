"""Small learners of every kind, and the tasks they are tried on."""

from sk_metalearn import metalearners as ml
from sk_metalearn.metalearners import OuterLoop

SHORT = OuterLoop(
    max_iter=6, batch_size=4, validation_interval=3, n_validation_episodes=8, learning_rate=1e-3
)
COMMON = {"outer": SHORT, "random_state": 0, "n_query": 4}

LEARNERS = {
    "MAMLClassifier": {"hidden_layer_sizes": (8,), "n_steps": 2},
    "MAMLRegressor": {"hidden_layer_sizes": (8,)},
    "MANNClassifier": {"n_units": 8, "n_slots": 10, "slot_size": 6},
    "MANNRegressor": {"n_units": 8, "n_slots": 10, "slot_size": 6},
    "MatchingNetworkClassifier": {},
    "MatchingNetworkRegressor": {"n_components": 4},
    "MetaControlClassifier": {"hidden_layer_sizes": (6,), "n_steps": 5},
    "MetaControlRegressor": {"hidden_layer_sizes": (6,), "n_steps": 5},
    "MetaNetworkClassifier": {"n_units": 6, "n_meta_units": 4},
    "MetaNetworkRegressor": {"n_units": 6, "n_meta_units": 4},
    "NTMClassifier": {"n_units": 8, "n_slots": 10, "slot_size": 6},
    "NTMRegressor": {"n_units": 8, "n_slots": 10, "slot_size": 6},
    "LearnedOptimizerClassifier": {"hidden_layer_sizes": (6,), "n_units": 4, "n_steps": 5},
    "LearnedOptimizerRegressor": {"hidden_layer_sizes": (6,), "n_units": 4, "n_steps": 5},
    "PrototypicalNetworkClassifier": {},
    "ReptileClassifier": {"hidden_layer_sizes": (8,)},
    "ReptileRegressor": {"hidden_layer_sizes": (8,)},
    "SNAILClassifier": {"n_units": 6, "n_filters": 4},
    "SNAILRegressor": {"n_units": 6, "n_filters": 4},
    "SiameseNetworkClassifier": {},
}


def small(name, **changes):
    """Return a small instance of a learner."""
    params = COMMON | {"n_shots": 3} | LEARNERS[name] | changes
    if name.endswith("Classifier"):
        params.setdefault("n_way", 3)
    return getattr(ml, name)(**params)
