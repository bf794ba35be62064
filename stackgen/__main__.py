"""`python -m stackgen` is the same as `stackgen`."""

from stackgen.cli import main

main()
