"""The fixtures of a followed lesion."""

from tests.clinic.cases.conftest import actor, send, visit  # noqa: F401 - fixtures
from tests.clinic.timeline.conftest import follow, lesion  # noqa: F401 - fixtures
