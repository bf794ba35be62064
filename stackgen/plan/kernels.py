"""What a framework's Python needs to be a kernel of notebooks."""

from stackgen.model import Notebooks

KERNEL = "ipykernel"
"""The distribution that makes a kernel of a Python; Spack's package has `py-` before it."""
ENGINES = "ipyparallel"
"""The one by which a notebook works with many processes; with `py-` for Spack, too."""


def kernel_packages(notebooks: Notebooks | None) -> tuple[str, ...]:
    """What every framework that has a Python is to have besides; nothing where no notebooks are asked for."""
    if notebooks is None:
        return ()
    return (KERNEL, ENGINES) if notebooks.parallel else (KERNEL,)
