"""Why a program sees no GPU: the job, the variables, the machine's driver, the framework."""

import os
import re
from typing import Iterator, List, Mapping, Optional, Tuple

from stackgen.inside.launcher.allocation import allocation_here
from stackgen.inside.launcher.description import Site
from stackgen.inside.launcher.surroundings import Loaded
from stackgen.inside.launcher.troubles import Trouble, forgetting

_OF_JOB = ("SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "SLURM_GPUS_ON_NODE", "SLURM_GPUS")


def gpu_troubles(
    site: Site, one: Optional[Loaded], environ: Mapping[str, str], root: str = "/"
) -> List[Trouble]:
    """What keeps GPUs from programs; nothing where the system has none. `root` shows the machine."""
    devices = gpu_devices(root)
    if not devices and not any(queue.gpus for queue in site.queues):
        return []
    if one and one.framework.cuda == "":
        return [_without_gpus(site, one, is_near=bool(devices))]
    if not devices and not allocation_here(site, environ):
        return [_not_in_a_job(site)]
    usable = any(map(_opens, devices))
    return [
        *([] if usable else _of_the_job(site, environ)),
        *_chosen_devices(environ, devices),
        *_devices(site, environ, devices, root, usable=usable),
        *_driver(site, one, root),
    ]


def gpu_devices(root: str) -> List[str]:
    """The GPUs of NVIDIA's driver here, as /dev/nvidia0."""
    place = os.path.join(root, "dev")
    try:
        entries = os.listdir(place)
    except OSError:
        return []
    return sorted(os.path.join(place, entry) for entry in entries if re.match(r"nvidia[0-9]+\Z", entry))


def _opens(device: str) -> bool:
    """Whether a job may use a GPU: what Slurm keeps from it is there to be seen, but not to be opened."""
    try:
        os.close(os.open(device, os.O_RDWR))
    except OSError:
        return False
    return True


def _without_gpus(site: Site, one: Loaded, *, is_near: bool) -> Trouble:
    text = f"{one.framework.module} is built for processors alone, and uses no GPU wherever it runs."
    others = [other.module for other in site.frameworks if other.cuda]
    if others:
        text += f" {', '.join(others)} can."
    return Trouble(text, wrong=is_near and bool(others))


def _not_in_a_job(site: Site) -> Trouble:
    """This is a node without GPUs, and a job would get some."""
    text = f"There is no GPU on this node. Jobs on {site.system} get them:"
    return Trouble(text, _asking_for_one(site), wrong=False)


def _asking_for_one(site: Site) -> str:
    """What starts a program with a GPU, where there are any."""
    names = [queue.name for queue in site.queues if queue.gpus]
    return f"{site.namespace} run -p {names[0]} -g 1 script.py" if names else ""


def _of_the_job(site: Site, environ: Mapping[str, str]) -> Iterator[Trouble]:
    here = allocation_here(site, environ)
    if not here or any(environ.get(name) for name in _OF_JOB):
        return
    if any(queue.queue == here.queue and not queue.gpus for queue in site.queues):
        text = f"The job {here.job} runs in {here.queue}, whose nodes have no GPUs. Others have:"
        yield Trouble(text, _asking_for_one(site), wrong=False)
    elif site.scheduler == "slurm":
        text = f"The job {here.job} has asked for no GPU. Ask for one when it is submitted, in a script by"
        yield Trouble(f"{text} the line", f"#SBATCH --gres={site.gpus}:1")


def _chosen_devices(environ: Mapping[str, str], devices: List[str]) -> Iterator[Trouble]:
    """CUDA_VISIBLE_DEVICES: https://docs.nvidia.com/cuda/cuda-c-programming-guide, environment variables."""
    chosen = environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return
    remedy = forgetting(environ, "CUDA_VISIBLE_DEVICES")
    first = chosen.split(",")[0].strip()
    if first in ("", "-1", "NoDevFiles"):
        yield Trouble(f"CUDA_VISIBLE_DEVICES is {chosen or 'empty'}, which hides all GPUs.", remedy)
    elif first.isdigit() and devices and int(first) >= len(devices):
        text = f"CUDA_VISIBLE_DEVICES is {chosen}, but the GPUs here are 0 to {len(devices) - 1}."
        yield Trouble(
            text if len(devices) > 1 else text.replace("GPUs here are 0 to 0", "GPU here is 0"), remedy
        )


def _devices(
    site: Site, environ: Mapping[str, str], devices: List[str], root: str, *, usable: bool
) -> Iterator[Trouble]:
    """What a program opens."""
    ask = f"Tell those who run {site.system} the name of this node, {os.uname().nodename}."
    asked = any(environ.get(name) not in (None, "", "0") for name in _OF_JOB)
    if not devices and asked:
        yield Trouble(f"The job has asked for GPUs, but this node shows none (/dev/nvidia0). {ask}")
    if devices and not usable:
        yield Trouble(
            f"{devices[0]} may not be opened by you: the GPUs here are not yours, or another job's."
        )
    if devices and not os.path.exists(os.path.join(root, "dev", "nvidia-uvm")):
        yield Trouble(f"/dev/nvidia-uvm is missing, without which CUDA does not start. {ask}")


def _driver(site: Site, one: Optional[Loaded], root: str) -> Iterator[Trouble]:
    """A driver that is older than the framework's CUDA."""
    if not one or not one.framework.driver:
        return
    here = driver_version(os.path.join(root, "proc", "driver", "nvidia", "version"))
    if here and _numbered(here) < _numbered(one.framework.driver):
        text = "The driver of the GPUs here is {}, and CUDA {} of {} wants {} or newer."
        told = text.format(here, one.framework.cuda, one.framework.module, one.framework.driver)
        yield Trouble(f"{told} Tell those who run {site.system}.")


def driver_version(path: str) -> str:
    """The version of NVIDIA's driver as the kernel tells it; empty where it tells none."""
    try:
        with open(path, encoding="ascii", errors="replace") as stream:
            found = re.search(r"^NVRM version:.*?\s(\d+(?:\.\d+)+)\s", stream.read(), re.MULTILINE)
    except OSError:
        return ""
    return found.group(1) if found else ""


def _numbered(version: str) -> Tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
