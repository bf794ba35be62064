"""What stackgen knows of frameworks by name; whatever is not here can be said in the YAML file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from stackgen.model import Feature, System


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What the YAML file need not say of a framework."""

    title: str
    summary: str
    homepage: str = ""
    package: str
    """The distribution on the index for any machine that the two below do not cover."""
    cpu_package: Mapping[str, str] = field(default_factory=dict)
    """By architecture, where a smaller distribution serves machines without a GPU."""
    gpu_package: str = ""
    """Where NVIDIA GPUs need another one."""
    imports: str
    verify: str
    """The stem of the script below `stackgen/verify/`."""
    companions: tuple[str, ...] = ()
    """What its users take for granted, although its wheels do not ask for it."""
    keeps: Mapping[Feature, Mapping[str, str]] = field(default_factory=dict)
    """The settings by which a feature's promise is kept on every processor."""


KNOWN: Mapping[str, Knowledge] = {
    "tensorflow": Knowledge(
        title="TensorFlow",
        summary="machine learning with Keras and XLA",
        homepage="https://www.tensorflow.org",
        package="tensorflow",
        cpu_package={"x86_64": "tensorflow-cpu"},
        gpu_package="tensorflow[and-cuda]",
        imports="tensorflow",
        verify="tensorflow",
        # Otherwise on only where the processor has VNNI: tensorflow/core/util/port.cc.
        keeps={Feature.ONEDNN: {"TF_ENABLE_ONEDNN_OPTS": "1"}},
    ),
    "pytorch": Knowledge(
        title="PyTorch",
        summary="tensors and dynamic neural networks",
        homepage="https://pytorch.org",
        package="torch",
        imports="torch",
        companions=("numpy",),
        verify="pytorch",
    ),
    "jax": Knowledge(
        title="JAX",
        summary="composable transformations of NumPy programs",
        homepage="https://docs.jax.dev",
        package="jax",
        gpu_package="jax[cuda12]",
        imports="jax",
        verify="jax",
    ),
}


def knowledge(name: str, module: str | None = None) -> Knowledge:
    """What is known of a framework by its name or by its module's, or else what its name alone tells."""
    if known := KNOWN.get(name) or KNOWN.get(module or ""):
        return known
    return Knowledge(title=name, summary="", package=name, imports=name.replace("-", "_"), verify="python")


def kept_settings(known: Knowledge, features: Iterable[Feature]) -> dict[str, str]:
    """What the modules set so that the features keep their promises."""
    return {name: value for feature in features for name, value in known.keeps.get(feature, {}).items()}


def distribution(known: Knowledge, system: System) -> str:
    """The distribution that serves a system's processor and GPUs."""
    if system.accelerators:
        return known.gpu_package or known.package
    return known.cpu_package.get(system.architecture, known.package)
