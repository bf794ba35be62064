"""`info`: what a framework is, how it is used, and what it sets."""

import os
from typing import List, Mapping, Sequence, Tuple

from stackgen.inside.launcher.deprecation import sentence_today
from stackgen.inside.launcher.description import Loadable, Site
from stackgen.inside.launcher.kernelspec import KERNELSPECS, kernelspecs_in, kernelspecs_of
from stackgen.inside.launcher.listing import chosen_framework, packages_of
from stackgen.inside.launcher.overview import folded
from stackgen.inside.launcher.surroundings import Loaded, loaded_here, programs_of
from stackgen.inside.launcher.words import LauncherError, parsed, put
from stackgen.inside.threads import PLACEHOLDERS

INFO_HELP = """\
usage: {0} info [FRAMEWORK]

What a framework is, the loaded one where none is named: how to load and to use it, what it sets
in the environment, its notebook kernel and its job scripts.

  {0} info tensorflow"""


def info(site: Site, words: Sequence[str]) -> None:
    """Print all that is known of a framework."""
    _, rest = parsed(words, ())
    if len(rest) > 1:
        raise LauncherError(f"info takes one framework, and {rest[1]} is another word")
    put(portrait(site, chosen_framework(site, rest[0] if rest else None), os.environ))


def portrait(site: Site, chosen: Loaded, environ: Mapping[str, str]) -> str:
    """A framework in paragraphs, the most asked for first."""
    framework = chosen.framework
    is_loaded = any(one.framework.module == framework.module for one in loaded_here(site, environ))
    parts = [
        _beginning_of(framework),
        _fate_of(site, framework),
        _uses(site, chosen, is_loaded=is_loaded),
        _facts(site, chosen),
        _settings_of(framework, environ if is_loaded else {}),
        _not_supported(site),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _beginning_of(framework: Loadable) -> List[str]:
    summary = f": {framework.summary}" if framework.summary else ""
    lines = folded(f"{framework.title} {framework.version}{summary}")
    return [*lines, framework.homepage] if framework.homepage else lines


def _fate_of(site: Site, framework: Loadable) -> List[str]:
    sentence, _ = sentence_today(site.deprecations, framework.module)
    return folded(sentence) if sentence else []


def _uses(site: Site, chosen: Loaded, *, is_loaded: bool) -> List[str]:
    """What to type."""
    framework, name = chosen.framework, site.namespace
    typed = [] if is_loaded else [(f"module load {framework.module}", "")]
    if framework.python:
        typed.append(("python script.py", "here"))
        if site.scheduler in ("slurm", "lsf"):
            typed.append((f"{name} run script.py", "as a job"))
            if framework.distributed:
                typed.append((f"{name} run -N 2 script.py", "as a job on two nodes"))
    if framework.image:
        typed.append((framework.module.split("/")[1] + " PROGRAM", "any other program, in its container"))
    typed.append((f"module help {framework.module}", "more, and how to add packages of your own"))
    widest = max(len(words) for words, meaning in typed if meaning)
    return ["Use", *(f"  {words:<{widest}}  {meaning}".rstrip() for words, meaning in typed)]


def _facts(site: Site, chosen: Loaded) -> List[str]:
    """What it is made of, a fact a line."""
    framework = chosen.framework
    listed = packages_of(chosen)
    beside = [one.version for one in site.frameworks if _module_of(one) == _module_of(framework)]
    facts: List[Tuple[str, str]] = [
        ("module", framework.module + (", the default version" if framework.default and beside[1:] else "")),
        ("versions", ", ".join(beside) if beside[1:] else ""),
        ("release", f"{chosen.release} of {site.environment}"),
        ("Python", _python_of(chosen)),
        ("GPUs", _gpus_of(framework)),
        ("features", ", ".join(framework.features)),
        ("packages", f"{len(listed)}: {site.namespace} packages {framework.name}" if listed else ""),
        ("from", {"wheels": "wheels", "spack": "source, built by Spack"}.get(framework.source, "an image")),
        ("image", framework.image),
        ("prefix", "" if framework.image else framework.prefix),
        ("notebooks", _kernel_of(chosen)),
        ("job scripts", _directory_of(chosen, "jobs", framework.name)),
    ]
    return ["Facts", *(f"  {name:<12} {text}" for name, text in facts if text)]


def _module_of(framework: Loadable) -> str:
    return framework.module.rpartition("/")[0]


def _python_of(chosen: Loaded) -> str:
    if not chosen.framework.python:
        return "none of its own"
    return "{}, {}".format(chosen.framework.python, os.path.join(programs_of(chosen), "python"))


def _gpus_of(framework: Loadable) -> str:
    if framework.cuda is None:
        return ""
    if not framework.cuda:
        return "none: it computes on processors alone"
    driver = f", on drivers from {framework.driver} on" if framework.driver else ""
    return f"NVIDIA, by CUDA {framework.cuda}{driver}"


def _kernel_of(chosen: Loaded) -> str:
    """What Jupyter shows of it; empty where it has no kernel."""
    known = kernelspecs_in(os.path.join(chosen.place, KERNELSPECS))
    for name, spec in kernelspecs_of(known, chosen.framework.module).items():
        return "the kernel {} ({})".format(spec.get("display_name", name), name)
    return ""


def _directory_of(chosen: Loaded, *parts: str) -> str:
    path = os.path.join(chosen.place, *parts)
    return path if os.path.isdir(path) else ""


def _settings_of(framework: Loadable, environ: Mapping[str, str]) -> List[str]:
    """What its module sets where the user has not, and what holds here."""
    lines = []
    for name, value in sorted(framework.settings.items()):
        wanted, here = shown_setting(value), environ.get(name)
        differs = environ and here is not None and here != wanted
        lines.append(f"  {name}={wanted}" + (f"  (here: {here})" if differs else ""))
    told = [
        f"  {{{name}}} stands for {meaning} in a job; elsewhere it is not set."
        for name, meaning in PLACEHOLDERS.items()
        if any("{" + name + "}" in value for value in framework.settings.values())
    ]
    return ["Set where you have not set them yourself", *lines, *told] if lines else []


def shown_setting(value: str) -> str:
    """A setting as people read it: braces single again."""
    return value.replace("{{", "{").replace("}}", "}")


def _not_supported(site: Site) -> List[str]:
    """What is not here, and why."""
    lines = [
        line[0 if index else 2 :]
        for name, reason in site.unsupported.items()
        for index, line in enumerate(folded(f"{name}: {reason}", "    "))
    ]
    return [f"Not on {site.system}", *lines] if lines else []


def info_help(site: Site) -> str:
    """How it is used."""
    return INFO_HELP.format(site.namespace)
