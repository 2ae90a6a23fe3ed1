"""The contract suites: inherit one to test what you have made of your own.

class TestMySpace(SpaceContract):
    space = MySpace()
"""

from naokit.testing.evaluators import EvaluatorContract
from naokit.testing.methods import MethodContract
from naokit.testing.spaces import SpaceContract
from naokit.testing.workers import WorkersContract

__all__ = ["EvaluatorContract", "MethodContract", "SpaceContract", "WorkersContract"]
