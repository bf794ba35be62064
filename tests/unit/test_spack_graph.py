import json

from stackgen.spack.asking import Host
from stackgen.spack.graph import graph, problems

HOST = Host(os="rhel8", target="power9le", glibc="2.28")


def node(name: str, *needs: tuple[str, str, str], target: str = "power9le", external: bool = False, **more):
    """A node whose hash is its name; it needs a hash, as a kind, for a virtual package."""
    return {
        "name": name.partition("-")[0],
        "version": "1.0",
        "arch": {"platform": "linux", "platform_os": "rhel8", "target": target},
        "parameters": more,
        "dependencies": [
            {
                "name": to,
                "hash": to,
                "parameters": {"deptypes": [kind], "virtuals": [virtual] if virtual else []},
            }
            for to, kind, virtual in needs
        ],
        **({"external": {"path": "/usr"}} if external else {}),
    }


def lock(root: str, **nodes: dict) -> str:
    by_hash = {name.replace("_", "-"): entry for name, entry in nodes.items()}
    return json.dumps({"roots": [{"hash": root, "spec": root}], "concrete_specs": by_hash})


def test_a_lock_for_the_system_has_no_problems():
    text = lock(
        "torch",
        torch=node("torch", ("mpi1", "link", "mpi"), ("python", "run", ""), cuda=True, cuda_arch=["70"]),
        mpi1=node("mpi1", external=True, target="ppc64le"),
        python=node("python", ("python-built", "build", "")),
        python_built=node("python-built", ("mpi2", "build", "mpi")),
        mpi2=node("mpi2"),
    )
    assert problems(text, HOST, ("70",)) == ()
    assert [str(one) for one in graph(text).used()] == ["mpi1@1.0", "python@1.0", "torch@1.0"]


def test_every_problem_is_named():
    text = lock(
        "torch",
        torch=node(
            "torch",
            ("mpi1", "link", "mpi"),
            ("fftw", "link", ""),
            ("python", "run", ""),
            ("python-2", "run", ""),
            cuda=True,
            cuda_arch=["none"],
        ),
        fftw=node("fftw", ("mpi2", "link", "mpi"), target="x86_64_v4"),
        mpi1=node("mpi1"),
        mpi2=node("mpi2"),
        python=node("python"),
        python_2=node("python-2"),
    )
    assert problems(text, HOST, ("70",)) == (
        "fftw@1.0 is for rhel8 x86_64_v4, and the system is rhel8 power9le",
        "more than one MPI: mpi1@1.0 /mpi1, mpi2@1.0 /mpi2",
        "more than one Python: python@1.0 /python, python@1.0 /python-",
        "torch@1.0 is built for CUDA, and not for cuda_arch=70",
    )
