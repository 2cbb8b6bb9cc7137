"""What the tables of the meta-learners have in common."""

import time

import numpy as np


def asked(options, method):
    """Whether a method is to be measured."""
    return not options.only or method in options.only


def interval(scores):
    """Half width of the 95 % confidence interval of a mean."""
    return 1.96 * np.std(scores, ddof=1) / np.sqrt(len(scores))


def meta_fit(learner, *tasks):
    """Meta-train and return the processor seconds it took."""
    start = time.process_time()
    learner.meta_fit(*tasks)
    return round(time.process_time() - start, 1)
