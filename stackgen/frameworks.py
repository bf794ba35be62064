"""What stackgen knows of frameworks by name; whatever is not here can be said in the YAML file."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from stackgen.model import Feature, System


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Spack's package of a framework, and the variants that depend on the machine and the toolchain."""

    package: str
    gpu: str = ""
    """Where there are NVIDIA GPUs; `cuda_arch` is everywhere the system's."""
    cpu: str = ""
    """Where there are none."""
    mkl: str = ""
    """Where the toolchain's math library is MKL."""
    no_mkl: str = ""
    """Where it is another one, which has to stay the only one."""
    horovod: str = ""
    """What the variant `frameworks` of py-horovod calls it; empty where Horovod does not serve it."""


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
    of_ranks: Mapping[str, str] = field(default_factory=dict)
    """What gives a rank its share of the processor, beside OMP_NUM_THREADS."""
    recipe: Recipe | None = None
    """Where Spack's package has another name, or variants are to be chosen."""


_WITH_PKG_RESOURCES = "setuptools<81"
"""TensorBoard imports `pkg_resources` up to 2.20, asks for any setuptools, and 82 has it no more."""

_TENSORFLOW_THREADS = {"TF_NUM_INTRAOP_THREADS": "{threads}"}
"""Its wheels do without OpenMP: tensorflow/core/common_runtime/process_util.cc."""

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
        companions=(_WITH_PKG_RESOURCES,),
        # Otherwise on only where the processor has VNNI: tensorflow/core/util/port.cc.
        keeps={Feature.ONEDNN: {"TF_ENABLE_ONEDNN_OPTS": "1"}},
        of_ranks=_TENSORFLOW_THREADS,
        recipe=Recipe(
            package="py-tensorflow",
            gpu="+cuda +nccl",
            cpu="~cuda ~nccl",
            mkl="+mkl",
            no_mkl="~mkl",
            horovod="tensorflow",
        ),
    ),
    "pytorch": Knowledge(
        title="PyTorch",
        summary="tensors and dynamic neural networks",
        homepage="https://pytorch.org",
        package="torch",
        imports="torch",
        companions=("numpy",),
        verify="pytorch",
        # +mkldnn takes Intel's MKL for its BLAS: py_torch/package.py.
        recipe=Recipe(
            package="py-torch", gpu="+cuda", cpu="~cuda", mkl="+mkldnn", no_mkl="~mkldnn", horovod="pytorch"
        ),
    ),
    "jax": Knowledge(
        title="JAX",
        summary="composable transformations of NumPy programs",
        homepage="https://docs.jax.dev",
        package="jax",
        gpu_package="jax[cuda12]",
        imports="jax",
        verify="jax",
        recipe=Recipe(package="py-jax", gpu="^py-jaxlib+cuda", cpu="^py-jaxlib~cuda"),
    ),
    "keras": Knowledge(
        title="Keras",
        summary="deep learning in few lines, over TensorFlow, PyTorch or JAX",
        homepage="https://keras.io",
        package="keras",
        imports="keras",
        verify="keras",
        # It is TensorFlow that asks for this, where that is the backend.
        keeps={Feature.ONEDNN: {"TF_ENABLE_ONEDNN_OPTS": "1"}},
        of_ranks=_TENSORFLOW_THREADS,
        recipe=Recipe(package="py-keras"),
    ),
    "caffe": Knowledge(
        title="Caffe",
        summary="deep learning of images; the last release is of 2017",
        homepage="https://caffe.berkeleyvision.org",
        package="caffe",
        imports="caffe",
        verify="python",
    ),
    "spark": Knowledge(
        title="Spark",
        summary="large data in parallel, from Python",
        homepage="https://spark.apache.org",
        package="pyspark",
        imports="pyspark",
        verify="python",
        recipe=Recipe(package="py-pyspark"),
    ),
    "cupy": Knowledge(
        title="CuPy",
        summary="NumPy's arrays on GPUs",
        homepage="https://cupy.dev",
        package="cupy",
        gpu_package="cupy-cuda12x",
        imports="cupy",
        verify="python",
        recipe=Recipe(package="py-cupy"),
    ),
    "onnxruntime": Knowledge(
        title="ONNX Runtime",
        summary="runs the models that other frameworks have trained",
        homepage="https://onnxruntime.ai",
        package="onnxruntime",
        imports="onnxruntime",
        verify="python",
        recipe=Recipe(package="py-onnxruntime"),
    ),
    "jupyterlab": Knowledge(
        title="JupyterLab",
        summary="notebooks in the browser",
        homepage="https://jupyter.org",
        package="jupyterlab",
        imports="jupyterlab",
        verify="python",
        recipe=Recipe(package="py-jupyterlab"),
    ),
    "tensorboard": Knowledge(
        title="TensorBoard",
        summary="curves and graphs of training, in the browser",
        homepage="https://www.tensorflow.org/tensorboard",
        package="tensorboard",
        imports="tensorboard",
        companions=(_WITH_PKG_RESOURCES,),
        verify="python",
        recipe=Recipe(package="py-tensorboard"),
    ),
    "mxnet": Knowledge(
        title="MXNet",
        summary="deep learning, symbolic and imperative",
        homepage="https://mxnet.apache.org",
        package="mxnet",
        imports="mxnet",
        verify="python",
        recipe=Recipe(
            package="mxnet",
            gpu="+cuda +cudnn +nccl",
            cpu="~cuda ~cudnn",
            mkl="+mkldnn",
            no_mkl="~mkldnn",
            horovod="mxnet",
        ),
    ),
    "h2o": Knowledge(
        title="H2O",
        summary="machine learning on tables, in Java, from Python",
        homepage="https://h2o.ai",
        package="h2o",
        imports="h2o",
        verify="python",
        recipe=Recipe(package="py-h2o"),
    ),
}


def knowledge(name: str, module: str | None = None) -> Knowledge:
    """What is known of a framework by its name or by its module's, or else what its name alone tells."""
    if known := KNOWN.get(name) or KNOWN.get(module or ""):
        return known
    imports = name.replace("-", "_")
    return Knowledge(title=module or name, summary="", package=name, imports=imports, verify="python")


def distribution(known: Knowledge, system: System) -> str:
    """The distribution that serves a system's processor and GPUs."""
    if system.accelerators:
        return known.gpu_package or known.package
    return known.cpu_package.get(system.architecture, known.package)
