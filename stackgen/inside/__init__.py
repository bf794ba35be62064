"""Programs for other interpreters than stackgen's own, which imports none of them."""
