from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyH2o(PythonPackage):
    """H2O: machine learning on tables, in memory and distributed, with its Java server and Python client."""

    homepage = "https://github.com/h2oai/h2o-3"
    pypi = "h2o/h2o-3.46.0.12.tar.gz"

    license("Apache-2.0")

    version("3.46.0.12", sha256="64279024cadea9c19ed49580c7733aa21bb9aff302805a1ae2f6cdf2e3cea0d3")

    depends_on("python@3.7:", type=("build", "run"))
    depends_on("py-setuptools", type="build")
    depends_on("py-requests", type=("build", "run"))
    depends_on("py-tabulate", type=("build", "run"))
    # The client starts the server of backend/bin/h2o.jar, which knows Java 8 to 17.
    depends_on("java@8:17", type="run")

    # These want what H2O itself does not ask for: numpy and matplotlib, scikit-learn.
    skip_modules = ["h2o.explanation", "h2o.sklearn"]
