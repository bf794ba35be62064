"""Programs that `stackgen bench` runs on a framework's own Python; each needs nothing but the framework."""
