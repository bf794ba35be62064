"""The driver of Spack: where it lies, and how it is started on its own."""

from stackgen.spack.home import SpackHome, find_spack
from stackgen.spack.start import spack_command

__all__ = ["SpackHome", "find_spack", "spack_command"]
