"""How far the property tests go: a short walk each time, a long one when it is asked for."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

#: `HUB_TEST_EXAMPLES=20 make test ARGS=tests/properties` tries twenty times as many, and others each time.
TIMES = int(os.environ.get("HUB_TEST_EXAMPLES", "1"))

#: For a test that takes at most a minute in the short form.
LONG_ENOUGH = pytest.mark.timeout(90 * TIMES)


def extent(examples: int, *, steps: int = 50) -> settings:
    """So many examples; the short form tries the same ones each time, so that it fails for no one else's change."""
    return settings(
        max_examples=examples * TIMES,
        stateful_step_count=steps,
        deadline=None,
        derandomize=TIMES == 1,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
