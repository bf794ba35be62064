"""Measurements of a release on its machine: how training scales, how quick kernels are, how it starts."""
