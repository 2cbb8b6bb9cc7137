"""Learners for the tests of the room."""

import pytest
from _learners import LEARNERS, small


@pytest.fixture(params=sorted(LEARNERS))
def learner(request):
    """Each learner of the room in turn."""
    return small(request.param)
