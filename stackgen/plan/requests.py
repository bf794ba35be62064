"""What Spack is asked for in the name of a framework, where the YAML file leaves it to us."""

from stackgen.combinations import has_horovod
from stackgen.frameworks import KNOWN, Recipe, knowledge
from stackgen.model import Feature, SpackFramework, System, Toolchain
from stackgen.model.specs import package_name

MKL = "intel-oneapi-mkl"
PYTHON_PACKAGE = "py-"
"""What the names of Spack's Python packages begin with."""
_RECIPES = {known.recipe.package: known.recipe for known in KNOWN.values() if known.recipe}


def framework_spec(name: str, framework: SpackFramework, system: System, toolchain: Toolchain) -> str:
    """The site's own spec as it stands, or what is known of the framework on such a machine."""
    if framework.spec:
        return framework.spec
    recipe = recipe_of(name, framework)
    variants = (
        recipe.mkl if _is_mkl(toolchain) else recipe.no_mkl,
        recipe.gpu if capabilities(system) else recipe.cpu,
    )
    return " ".join((recipe.package, *filter(None, variants)))


def feature_specs(
    name: str,
    framework: SpackFramework,
    system: System,
    toolchain: Toolchain,
    *,
    kernel: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """The specs of the packages that a framework's features are and that it requires besides, sorted.

    Of `kernel`, which notebooks need, only where it has a Python: none is brought to what does without.
    """
    wanted = set(framework.features)
    specs = {Feature.JUPYTER: "py-ipykernel", Feature.MPI4PY: "py-mpi4py", Feature.H5PY: "py-h5py +mpi"}
    features = {spec for feature, spec in specs.items() if feature in wanted}
    if has_horovod(wanted):
        features.add(_horovod(recipe_of(name, framework).horovod, _networks(wanted, toolchain), system))
    if framework.python or framework.imports or known_import(name, framework):
        features |= {f"{PYTHON_PACKAGE}{package}" for package in kernel}
    return tuple(sorted({*features, *framework.requires}))


def recipe_of(name: str, framework: SpackFramework) -> Recipe:
    """What is known of the framework, or of the package that it names, in Spack."""
    if framework.spec:
        package = package_name(framework.spec)
        return _RECIPES.get(package, Recipe(package=package))
    return knowledge(name, framework.module).recipe or Recipe(package=name)


def known_import(name: str, framework: SpackFramework) -> str:
    """What a program writes after `import`; nothing where a framework may well be none of Python's."""
    known = knowledge(name, framework.module)
    is_python = known.recipe or recipe_of(name, framework).package.startswith(PYTHON_PACKAGE)
    return known.imports if is_python else ""


def capabilities(system: System) -> tuple[str, ...]:
    """The compute capabilities of a system's NVIDIA GPUs as `cuda_arch` writes them: 7.0 is 70."""
    known = {gpu.capability for gpu in system.accelerators if gpu.capability}
    return tuple(sorted({text.replace(".", "") for text in known}, key=int))


def _networks(features: set[Feature], toolchain: Toolchain) -> tuple[str, ...]:
    """What Horovod goes over: MPI where the toolchain has one, Gloo where it has none or where asked for."""
    mpi = ("mpi",) if toolchain.mpi and Feature.HOROVOD in features else ()
    return (*mpi, *(("gloo",) if Feature.GLOO in features or not mpi else ()))


def _horovod(serves: str, networks: tuple[str, ...], system: System) -> str:
    cuda, operations = ("+cuda", "nccl") if capabilities(system) else ("~cuda", networks[0])
    return f"py-horovod {cuda} controllers={','.join(networks)} frameworks={serves} tensor_ops={operations}"


def _is_mkl(toolchain: Toolchain) -> bool:
    return bool(toolchain.math and toolchain.math.startswith(MKL))
