"""stackgen: one YAML file a machine becomes the AI software stack of a supercomputing site."""

__version__ = "0.1.0"
