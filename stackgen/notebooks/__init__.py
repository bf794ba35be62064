"""What a release has for notebooks: kernels, and engines on nodes."""

from stackgen.notebooks.kernels import kernel_name, kernel_tree, kernels

__all__ = ["kernel_name", "kernel_tree", "kernels"]
