"""What every test may ask for: real runners, the machine's own system, the index."""


import pytest

from stackgen.progress import Silent
from stackgen.run import LoggedRunner


@pytest.fixture
def run() -> LoggedRunner:
    """The real starter of processes."""
    return LoggedRunner(Silent())
