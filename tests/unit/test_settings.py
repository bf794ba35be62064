"""Which settings a framework's module has, whose they are, and which of several holds."""

import pytest
from pydantic import ValidationError

from stackgen import settings
from stackgen.frameworks import knowledge
from stackgen.inside.threads import expanded
from stackgen.manual import manual
from stackgen.model import Environment, Feature, Scheduler, System
from stackgen.plan import Plan, plan
from stackgen.release import InstalledFramework
from stackgen.settings import RANKS, Author

PMIX = ("SLURM_PMIX_FENCE", "ring", "of the scheduler")
FACTS = {"name": "node", "os": "debian12", "glibc": "2.36", "target": "x86_64_v3"}


def planned(framework: dict[str, object], common: dict[str, str], **facts: object) -> Plan:
    environment = {
        "name": "quickstart",
        "release": "2026.11",
        "system": "node",
        "prefix": "/dss/hpai",
        "toolchain": {"mpi": "openmpi"},
        "frameworks": {"tensorflow": {"from": "wheels", "version": "2.21", **framework}},
    }
    pythons = [{"version": "3.11", "prefix": "/usr"}]
    system = {**FACTS, "pythons": pythons, "settings": common, **facts}
    return plan(Environment.model_validate(environment), System.model_validate(system))


def said(framework: dict[str, object], common: dict[str, str]) -> list[tuple[str, str, str]]:
    about = planned(framework, common).frameworks[0].about
    return [(setting.variable, setting.value, setting.origin) for setting in about.said]


def test_of_several_the_last_holds_and_none_is_forgotten():
    framework = {"features": ["onednn"], "settings": {"TF_ENABLE_ONEDNN_OPTS": "2", "A": "mine"}}
    system = {"TF_ENABLE_ONEDNN_OPTS": "0", "B": "theirs"}
    assert said(framework, system) == [
        ("A", "mine", "of the framework"),
        ("B", "theirs", "of the system"),
        ("TF_ENABLE_ONEDNN_OPTS", "1", "of the feature onednn"),
        ("TF_ENABLE_ONEDNN_OPTS", "0", "of the system"),
        ("TF_ENABLE_ONEDNN_OPTS", "2", "of the framework"),
    ]
    about = planned(framework, system).frameworks[0].about
    assert about.settings == (("A", "mine"), ("B", "theirs"), ("TF_ENABLE_ONEDNN_OPTS", "2"))


@pytest.mark.parametrize("feature", [*RANKS])
def test_ranks_share_the_cores_of_a_node(feature):
    features = (Feature.JUPYTER, feature)
    given = {Author.SYSTEM: {"OMP_NUM_THREADS": "4"}}
    found = settings.said(knowledge("tensorflow"), features, given)
    assert [(setting.variable, setting.value, setting.origin) for setting in found] == [
        ("OMP_NUM_THREADS", "{threads}", f"of the feature {feature}"),
        ("OMP_NUM_THREADS", "4", "of the system"),
        ("TF_NUM_INTRAOP_THREADS", "{threads}", f"of the feature {feature}"),
    ]


@pytest.mark.parametrize(
    ("scheduler", "mpi", "there"),
    [
        ({"kind": "slurm"}, "openmpi@4.1.4", True),
        ({"kind": "slurm", "launch": "srun --mpi=pmix_v4"}, "mpich", True),
        ({"kind": "slurm"}, "mpich", False),
        ({"kind": "slurm"}, "", False),
        ({"kind": "lsf"}, "openmpi", False),
        ({"kind": "none"}, "openmpi", False),
    ],
)
def test_ranks_that_slurm_starts_by_pmix_wait_for_each_other(scheduler, mpi, there):
    found = settings.of_scheduler(Scheduler.model_validate(scheduler), mpi)
    assert ("SLURM_PMIX_FENCE" in found) is there


def test_a_site_has_the_last_word_on_what_its_scheduler_needs():
    asked = planned({}, {"SLURM_PMIX_FENCE": "tree"}, scheduler={"kind": "slurm"}).frameworks[0].about
    assert [(one.variable, one.value, one.origin) for one in asked.said] == [
        PMIX,
        ("SLURM_PMIX_FENCE", "tree", "of the system"),
    ]
    assert asked.settings == (("SLURM_PMIX_FENCE", "tree"),)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("PATH", "/x", "PATH is set by the modules themselves; leave it out"),
        ("PYTHONPATH", "/x", "PYTHONPATH is set by the modules themselves; leave it out"),
        ("VIRTUAL_ENV", "/x", "VIRTUAL_ENV leads to a Python that is not the framework's; leave it out"),
        ("RANK", "0", "RANK is another one on each rank; leave it out: what starts the ranks sets it"),
        ("A", "x" * 16385, "the value has 16385 characters; shorten it to 16384 or fewer"),
        ("A", "a\nb", "control characters are not allowed here; write one line of plain text"),
    ],
)
def test_what_nobody_may_set(variable, value, message):
    with pytest.raises(ValidationError) as caught:
        System.model_validate({**FACTS, "settings": {variable: value}})
    context = caught.value.errors()[0]["ctx"]
    assert f"{context['what']}; {context['remedy']}" == message


HOSTILE = "$(touch pwned) `id` 'one' \"two\" \\ ; | & ~ ]] --[[ {{{threads}}} " + "x" * 16000


def test_whatever_else_a_value_holds_stays_what_it_is():
    environ = {"SLURM_CPUS_PER_TASK": "3"}
    asked = System.model_validate({**FACTS, "settings": {"A": HOSTILE}}).settings
    assert expanded(asked, environ) == {"A": HOSTILE.replace("{{{threads}}}", "{3}")}


def test_one_process_may_have_them_all():
    assert said({"features": ["jupyter"]}, {}) == []


def test_the_manual_tells_whose_a_setting_is():
    framework = {"features": ["ddp"], "settings": {"NOTE": "{{a}}"}}
    asked = planned(framework, {"KMP_BLOCKTIME": "0"})
    about = asked.frameworks[0].about
    installed = InstalledFramework(
        name="tensorflow",
        module="tensorflow",
        version="2.21.0",
        prefix="/dss/tensorflow",
        python="3.11",
        packages={},
        settings=dict(about.settings),
    )
    text = manual(asked, installed, about)
    assert text.partition("Set where")[2].partition("\n\n")[0].splitlines() == [
        " you have not set them yourself",
        "of the feature ddp",
        "  OMP_NUM_THREADS={threads}",
        "  TF_NUM_INTRAOP_THREADS={threads}",
        "of the framework",
        "  NOTE={a}",
        "of the system",
        "  KMP_BLOCKTIME=0",
        "{threads} stands for the cores of a rank in a job; elsewhere it is not set.",
    ]
