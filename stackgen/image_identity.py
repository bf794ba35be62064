"""What decides an image: known by the lock alone, so that nothing need be built to know what is there."""

from stackgen.lock import Json, Lock
from stackgen.plan import ContainerPlan, Dockerfile, Packed, Plan
from stackgen.plan.containers import BASE


def image_identity(plan: Plan, container: ContainerPlan, lock: Lock, prefix: str) -> dict[str, Json]:
    """All that decides the bytes of an image; `prefix` is that of a packed framework."""
    origin = container.origin
    made = _packed(prefix, lock) if isinstance(origin, Packed) else _others(container, lock)
    seen = plan.system.containers.model_dump(mode="json", exclude_defaults=True)
    return {
        "architecture": plan.platform.architecture,
        "made from": made,
        **({"seen": seen} if seen else {}),
    }


def _packed(prefix: str, lock: Lock) -> Json:
    """The prefix by its place, which names its content, and what it stands on."""
    return {
        "prefix": prefix,
        "packages": [deb.file.sha256 for deb in lock.images.base],
        "images": [image.digest for image in lock.images.of(BASE)],
    }


def _others(container: ContainerPlan, lock: Lock) -> Json:
    """An image, what a Dockerfile reads, and what is added."""
    contexts = [one for one in lock.images.contexts if one.framework == container.name]
    return {
        "images": [image.digest for image in lock.images.of(container.name)],
        "context": [[file.name, file.sha256] for context in contexts for file in context.files],
        "wheels": lock.wheel_lock(container.name).digest if container.requirements else "",
        "dockerfile": container.origin.path if isinstance(container.origin, Dockerfile) else "",
        "commands": list(container.commands),
        "python": container.python,
    }
