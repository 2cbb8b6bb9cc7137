"""Learned optimiser and learned control beside hand-made optimisers."""

import numpy as np
from _meta_measures import interval, meta_fit
from sklearn.metrics import mean_squared_error

from sk_metalearn import metalearners as ml
from sk_metalearn.metalearners import OuterLoop, init_mlp, mlp
from sk_metalearn.metalearners._networks import mlp_gradient


def make_quadratics(n_tasks, random_state):
    """Random least-squares problems in 10 dimensions (and an intercept)."""
    rng = np.random.RandomState(random_state)
    return [(rng.normal(size=(20, 10)), rng.normal(size=20)) for _ in range(n_tasks)]


def trajectory(kind, rate, net, X, y):
    """Yield the weights of a perceptron before each step of a hand-made optimiser."""
    Y = y[:, None]
    momentum = {key: np.zeros_like(value) for key, value in net.items()}
    square, step = dict(momentum), 0
    while True:
        yield net
        step += 1
        gradient, _ = mlp_gradient(net, X, lambda output: 2 * (output - Y) / len(Y))
        if kind == "Adam":
            momentum = {k: 0.9 * momentum[k] + 0.1 * gradient[k] for k in net}
            square = {k: 0.999 * square[k] + 0.001 * gradient[k] ** 2 for k in net}
            now = rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            net = {k: net[k] - now * momentum[k] / (np.sqrt(square[k]) + 1e-8) for k in net}
        else:
            keep = 0.9 if kind == "momentum" else 0.0
            momentum = {k: keep * momentum[k] - rate * gradient[k] for k in net}
            net = {k: net[k] + momentum[k] for k in net}


def errors_on_the_way(kind, rate, episodes, sizes, n_steps, part):
    """Errors after 0..n_steps steps, a row for each problem; infinite where it diverges.

    `part` is 0 for the error on the support examples and 2 for that on the queries.
    """
    rows = []
    with np.errstate(all="ignore"):
        for i, episode in enumerate(episodes):
            net = init_mlp(np.random.RandomState(i), sizes)
            nets = trajectory(kind, rate, net, *episode[:2])
            X, y = episode[part : part + 2]
            errors = [((mlp(next(nets), X)[:, 0] - y) ** 2).mean() for _ in range(n_steps + 1)]
            rows.append(errors)
    return np.nan_to_num(np.array(rows), nan=np.inf)


RATES = np.logspace(-3, 0.5, 15)


def optimizer(options):
    """Median training loss of left-out problems by learned and by hand-made optimisers."""
    outer = OuterLoop(
        max_iter=400,
        batch_size=4,
        learning_rate=5e-3,
        validation_interval=25,
        n_validation_episodes=32,
    )
    draw = {"kind": "regression", "n_shots": 10, "n_query": 1}
    problems = {
        "quadratic": ((), make_quadratics(500, 0), make_quadratics(100, 1)),
        "perceptron on sine": (
            (20,),
            standardized(ml.make_sine_tasks(500, 20, 0)),
            standardized(ml.make_sine_tasks(100, 20, 1)),
        ),
    }
    for problem, (hidden, train, test) in problems.items():
        n_steps = 50
        tuning = list(ml.sample_episodes(train, 50, random_state=5, **draw))
        judging = list(ml.sample_episodes(test, 100, random_state=6, **draw))
        sizes = [train[0][0].shape[1], *hidden, 1]
        found = {}
        for kind in ("SGD", "momentum", "Adam"):
            # The step size is the best of 15 for the median loss on the way, on training problems.
            ways = [
                np.median(errors_on_the_way(kind, rate, tuning, sizes, n_steps, 0), axis=0)
                for rate in RATES
            ]
            rate = RATES[np.argmin(np.mean(ways, axis=1))]
            judged = errors_on_the_way(kind, rate, judging, sizes, n_steps, 0)
            found[kind] = np.median(judged, axis=0)
        learner = ml.LearnedOptimizerRegressor(
            hidden, n_shots=10, n_query=1, standardize=False, outer=outer, random_state=0
        )
        seconds, way = meta_fit(learner, train), []
        for i, (X, y, _, _) in enumerate(judging):
            learner.set_params(random_state=i).fit(X, y)
            way.append(learner.loss_curve_)
        found["learned (LSTM)"] = np.median(way, axis=0)
        for kind, losses in found.items():
            yield {
                "method": kind,
                "problem": problem,
                **{f"loss_{k}": round(float(losses[k]), 4) for k in (0, 5, 10, 20, 30, 50)},
                "steps_to_adam_at_50": steps_to(losses, found["Adam"][50]),
                "seconds": seconds if kind.startswith("learned") else 0.0,
            }


def steps_to(losses, level):
    """First step at which a curve is at or below a level; -1 if it never is."""
    reached = np.flatnonzero(losses <= level)
    return int(reached[0]) if len(reached) else -1


def standardized(tasks):
    """Scale sine tasks to unit variance over all of them."""
    return [(X / 2.887, y / 2.05) for X, y in tasks]


def control(options):
    """Query error of perceptrons trained on 10 noisy points of a left-out wave."""
    rng = np.random.RandomState(0)

    def noisy(tasks):
        return [(X, y + 0.3 * rng.normal(size=len(y))) for X, y in standardized(tasks)]

    train, test = noisy(ml.make_sine_tasks(500, 30, 0)), noisy(ml.make_sine_tasks(200, 30, 1))
    draw = {"kind": "regression", "n_shots": 10, "n_query": 20}
    tuning = list(ml.sample_episodes(train, 100, random_state=5, **draw))
    judging = list(ml.sample_episodes(test, 200, random_state=6, **draw))
    outer = OuterLoop(
        max_iter=400, learning_rate=5e-3, validation_interval=25, n_validation_episodes=64
    )
    learner = ml.MetaControlRegressor(
        n_shots=10, n_query=20, standardize=False, outer=outer, random_state=0
    )
    seconds, errors, steps = meta_fit(learner, train), [], []
    for i, (X, y, X_query, y_query) in enumerate(judging):
        learner.set_params(random_state=i).fit(X, y)
        errors.append(mean_squared_error(y_query, learner.predict(X_query)))
        steps.append(len(learner.loss_curve_) - 1)
    rows = {"learned control": (np.array(errors), np.mean(steps), seconds)}
    for kind in ("SGD", "momentum", "Adam"):
        # Step size and number of steps are the best pair on training problems.
        tuned = {
            rate: errors_on_the_way(kind, rate, tuning, [1, 20, 1], 40, 2).mean(axis=0)
            for rate in RATES
        }
        rate = min(tuned, key=lambda rate: tuned[rate].min())
        step = int(tuned[rate].argmin())
        judged = errors_on_the_way(kind, rate, judging, [1, 20, 1], 40, 2)[:, step]
        rows[kind] = (judged, step, 0.0)
    for kind, (errors, step, seconds) in rows.items():
        difference = errors - rows["learned control"][0]
        yield {
            "method": kind,
            "query_mse": round(errors.mean(), 4),
            "interval": round(interval(errors), 4),
            "more_than_learned": round(difference.mean(), 4),
            "difference_interval": round(interval(difference), 4),
            "steps": round(float(step), 1),
            "seconds": seconds,
        }
