"""The kinds of text that describe a machine, each with its rule and the remedy for breaking it."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from stackgen import targets
from stackgen.model import paths
from stackgen.model.base import near, refuse
from stackgen.model.rules import NUMBER, as_text, matching, shown

_OPERATING_SYSTEM = r"^[a-z][a-z0-9_.]*$"
_MEMORY = r"^\d+(\.\d+)? ?[MGT]i?B$"
_NODES = r"^[1-9]\d*(\.\.[1-9]\d*)?$"
_DURATION = r"^(\d+-)?\d{1,3}:\d{2}(:\d{2})?$"
_CAPABILITY = r"^\d{1,2}\.\d$"
_DRIVER = r"^\d{3}(\.\d{1,3}){1,2}$"
_LMOD = r"^\d+(\.\d+){1,2}$"


def _target(text: str) -> str:
    if text not in targets.NAMES:
        raise refuse(f"unknown target {text!r}", near(text, targets.NAMES, "use a name that archspec knows"))
    if (family := targets.family(text)) not in targets.FAMILIES:
        raise refuse(
            f"the target {text} is of the family {family}", f"use one of {', '.join(targets.FAMILIES)}"
        )
    return text


def _ascending(text: str) -> str:
    first, _, last = text.partition("..")
    if last and int(last) < int(first):
        raise refuse(f"{text!r} ends below its start", "write the smaller number first, such as 1..16")
    return text


def _lowered(value: object) -> object:
    """Let `True` in where a value is built from Python; the loader hands over text only."""
    return str(value).lower() if isinstance(value, bool) else value


Capability = Annotated[
    str,
    BeforeValidator(as_text),
    matching(_CAPABILITY, "compute capability", "write major and minor, such as 9.0"),
    shown("9.0", pattern=_CAPABILITY, kinds=NUMBER),
]
NodeRange = Annotated[
    str,
    BeforeValidator(as_text),
    matching(_NODES, "number of nodes", "write 1..16, or a single number"),
    AfterValidator(_ascending),
    shown("1..16", pattern=_NODES, kinds=("string", "integer")),
]
CoreRange = Annotated[
    str,
    BeforeValidator(as_text),
    matching(_NODES, "number of cores", "write 16..40, the usual number first, or a single number"),
    AfterValidator(_ascending),
    shown("16..40", pattern=_NODES, kinds=("string", "integer")),
]
Target = Annotated[str, AfterValidator(_target), shown("skylake_avx512", "zen3", "power9le", "neoverse_v2")]
OperatingSystem = Annotated[
    str,
    matching(
        _OPERATING_SYSTEM, "operating system", "write it as Spack does, such as rhel8, sles15, debian12"
    ),
    shown("rhel8", "sles15", "debian12", pattern=_OPERATING_SYSTEM),
]
Memory = Annotated[
    str,
    matching(_MEMORY, "amount of memory", "write it with its unit, such as 96 GB"),
    shown("96 GB", pattern=_MEMORY),
]
Duration = Annotated[
    str,
    matching(_DURATION, "time limit", "write hours:minutes:seconds, such as 48:00:00"),
    shown("48:00:00", pattern=_DURATION),
]
Driver = Annotated[
    str,
    BeforeValidator(as_text),
    matching(_DRIVER, "version of NVIDIA's driver", "write it as `nvidia-smi` does, such as 535.104.05"),
    shown("535.104.05", pattern=_DRIVER, kinds=NUMBER),
]
LmodVersion = Annotated[
    str,
    BeforeValidator(as_text),
    matching(_LMOD, "version of Lmod", "write it as `module --version` does, such as 8.7.32"),
    shown("8.7.32", pattern=_LMOD, kinds=NUMBER),
]
Known = Annotated[
    Literal["true", "false", "unknown"],
    BeforeValidator(_lowered),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "enum": ["true", "false", "unknown"]}, {"type": "boolean"}]}
    ),
]
Program = Annotated[str, AfterValidator(paths.directory), shown("/usr/bin/gcc-13")]
