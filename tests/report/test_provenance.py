"""Where what a search evaluated came from."""

from tests.study.test_course import GOALS, TRIALS

from naokit.report.provenance import Source, sources
from naokit.study.course import Course


def test_sources_say_what_came_from_where() -> None:
    assert sources(TRIALS, Course.of(TRIALS, GOALS), 1.0) == (
        Source("mutation", 3, 1, 9.0, 7.5, 1),
        Source("latent step", 2, 0, 5.0, 4.5, 1),
        Source("random", 1, 0, 3.0, 3.0, 1),
    )
