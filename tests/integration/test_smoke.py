"""Good and bad frameworks, built from wheels of the tests' own, under the real test of a release."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from lmod import ROOT
from package_index import wheel
from stages import Recorder
from wheelhouse import PYTHON, Wheelhouse, pip_wheel

from stackgen import files
from stackgen.lock import Lock, inputs
from stackgen.modules import module_tree
from stackgen.plan import Plan
from stackgen.progress import Silent
from stackgen.publish import stage
from stackgen.release import Check, Release, Report, installed
from stackgen.run import LoggedRunner
from stackgen.smoke import lmod_start, site_scripts, smoke
from stackgen.smoke.session import Entrance
from stackgen.smoke.trial import Trial
from stackgen.tree import Tree

GEMM_API = "onednn_verbose,v1,primitive,exec,cpu,gemm_api,,undef,src_f32::blocked:ab:f0,,,132x300:300x60,44"
CONVOLUTION = "onednn_verbose,v1,primitive,exec,cpu,convolution,jit:avx2,forward_training,src:f32,,,mb8,0.1"
TOLD = "import os\nif os.environ.get('ONEDNN_VERBOSE'): print({line!r})\n"
TEXTS = {
    "good": "def main(): print('usage: good')",
    "raises": "raise RuntimeError('no\\nlicence')",
    "dies": "import os, signal\nos.kill(os.getpid(), signal.SIGILL)",
    "clumsy": "",
    "astray": "import sys\nsys.path.append({outside!r})\nimport stranger",
    "promising": TOLD.format(line=GEMM_API),
    "keeping": TOLD.format(line=CONVOLUTION),
}
FEATURES = {"promising": ["onednn", "mkl"], "keeping": ["onednn"]}
SCRIPTS = {"good": "good", "clumsy": "clumsy"}


@dataclass(frozen=True)
class Site:
    """A staged release and what it was made from."""

    plan: Plan
    lock: Lock
    staged: Path

    def trial(self, framework: str, scratch: Path, **more: object) -> Trial:
        described = {one.name: one for one in installed(self.plan, self.lock)}[framework]
        core = self.staged / "modules/Core"
        return Trial(
            framework=described,
            planned={one.name: one for one in self.plan.wheels}[framework],
            entrance=Entrance(plan=self.plan, framework=described, core=core, lmod=lmod_start()),
            own_script=scratch / "none.py",
            scratch=scratch,
            run=LoggedRunner(Silent()),
        )


def site(root: Path, texts: dict[str, str]) -> Site:
    """Build one framework a text, each with a pip, and stage them together."""
    pip = pip_wheel()
    if pip is None:
        pytest.skip("this machine has no wheel of pip")
    house = Wheelhouse(root)
    locks = [
        house.lock(house.module(name, "1.0", text, SCRIPTS.get(name, "")), house.wheel(pip))
        for name, text in texts.items()
    ]
    needy = house.add("needy", "1.0", wheel("needy", "1.0", ("absent>=2",)))
    locks.append(house.lock(needy, house.wheel(pip)))
    house.build(*locks)
    entries = {
        lock.framework: {
            "from": "wheels",
            "version": "newest",
            "python": PYTHON,
            "features": FEATURES.get(lock.framework, []),
            **({"verify": f"{lock.framework}.py"} if lock.framework in {"good", "needy"} else {}),
        }
        for lock in locks
    }
    plan = house.plan(frameworks=entries)
    files.write(root / "good.py", "import good\nprint('all is well')\n")
    files.write(root / "needy.py", "import sys\nsys.exit('the site says no')\n")
    lock = Lock(
        environment="site", inputs=inputs(plan), wheels=tuple(sorted(locks, key=lambda one: one.framework))
    )
    tree = module_tree(plan, installed(plan, lock)) | site_scripts(plan, root)
    return Site(plan=plan, lock=lock, staged=stage(plan, lock, tree))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Site:
    root = tmp_path_factory.mktemp("site")
    files.write(root / "outside/stranger.py", "")
    texts = {
        name: text.format(outside=str(root / "outside")) for name, text in TEXTS.items() if name == "astray"
    }
    return site(root, TEXTS | texts)


@pytest.fixture(scope="module")
def report(built: Site) -> Report:
    return smoke(built.staged, built.plan, LoggedRunner(Silent()), Silent())


def checks(report: Report, framework: str) -> dict[str, Check]:
    return {check.name: check for check in report.checks if check.framework == framework}


def failed(report: Report, framework: str) -> dict[str, str]:
    return {name: check.detail for name, check in checks(report, framework).items() if not check.passed}


def test_a_good_framework_passes_every_check(report: Report):
    assert not failed(report, "good")
    assert list(checks(report, "good")) == [
        "module",
        "import",
        "version",
        "packages",
        "isolation",
        "requirements",
        "isolation from a hostile caller",
        "script good",
        "the site's own",
    ]


def test_the_report_belongs_to_the_release_and_tells_which_way_it_went(built: Site, report: Report):
    release = Release.model_validate_json((built.staged / "release.json").read_text())
    assert (report.release, report.request) == (release.name, release.request)
    assert not report.passed
    way = "hpai/good/1.0 through Lmod" if lmod_start() else "as `stackgen shell`, without Lmod"
    assert checks(report, "good")["module"].detail == way


def test_the_report_is_the_same_each_time(built: Site, report: Report, tmp_path: Path):
    again = built.trial("keeping", tmp_path).checks()
    assert again == list(checks(report, "keeping").values())


def test_a_framework_that_raises_is_told_in_one_line(report: Report):
    assert failed(report, "raises") == {"import": "RuntimeError: no licence"}


def test_a_framework_that_dies_is_told_with_its_signal(report: Report):
    assert failed(report, "dies") == {
        "import": "killed by SIGILL, its binaries need instructions that this processor lacks, "
        "at the step `imported`"
    }


def test_a_broken_requirement_is_found(report: Report):
    assert failed(report, "needy") == {
        "requirements": "needy 1.0 requires absent, which is not installed.",
        "the site's own": "the site says no",
    }


def test_a_script_that_cannot_import_is_found(report: Report, built: Site):
    place = Path(
        built.trial("clumsy", built.staged).framework.prefix, f"lib/python{PYTHON}/site-packages/clumsy.py"
    )
    assert failed(report, "clumsy") == {
        "script clumsy": f"ImportError: cannot import name 'main' from 'clumsy' ({place})"
    }


def test_a_module_from_elsewhere_is_found(report: Report, built: Site):
    outside = Path(built.plan.prefix).parent / "outside"
    fault = f"stranger comes from {outside}/stranger.py, {outside} is searched"
    assert failed(report, "astray") == {"isolation": fault, "isolation from a hostile caller": fault}


def test_a_promise_without_proof_fails(report: Report):
    assert failed(report, "promising") == {
        "mkl": "MKL did not do the matrix products; take `mkl` from the framework's `features`",
        "onednn": "oneDNN ran neither a convolution nor a matrix product; "
        "turn it on by the framework's `settings` (TensorFlow: `TF_ENABLE_ONEDNN_OPTS: 1`), "
        "or take `onednn` from its `features`",
    }


def test_a_promise_that_is_kept_is_told_with_its_proof(report: Report):
    assert not failed(report, "keeping")
    assert checks(report, "keeping")["onednn"].detail == "convolution by jit:avx2"


def test_without_lmod_the_environment_of_the_shell_is_tested(built: Site, tmp_path: Path):
    trial = built.trial("good", tmp_path)
    entrance = Entrance(plan=built.plan, framework=trial.framework, core=trial.entrance.core, lmod=None)
    found = Trial(
        framework=trial.framework,
        planned=trial.planned,
        entrance=entrance,
        own_script=trial.own_script,
        scratch=tmp_path,
        run=trial.run,
    ).checks()
    assert all(check.passed for check in found)
    assert found[0].detail == "as `stackgen shell`, without Lmod"


def test_lmod_is_found_by_what_its_site_says(tmp_path: Path):
    files.write(tmp_path / "lmod/init/bash", "")
    assert lmod_start({"LMOD_PKG": str(tmp_path / "lmod")}) == tmp_path / "lmod/init/bash"
    assert lmod_start({"LMOD_ROOT": str(tmp_path)}) == tmp_path / "lmod/init/bash"


@pytest.mark.skipif(ROOT is None, reason="Lmod is not installed")
class TestModules:
    """What the test makes of modules that are not right."""

    def staged_with(self, built: Site, text: str, place: Path) -> dict[str, str]:
        """What fails with another module in place of the good one's."""
        tree = files.read_tree(built.staged)
        module = "modules/Core/hpai/good/1.0.lua"
        files.write_tree(Tree({**tree, module: type(tree[module])(text)}), place)
        trial = Site(plan=built.plan, lock=built.lock, staged=place).trial("good", place / "scratch")
        return {check.name: check.detail for check in trial.checks() if not check.passed}

    def test_a_module_that_does_not_load(self, built: Site, tmp_path: Path):
        failed = self.staged_with(built, "no lua at all", tmp_path)
        assert list(failed) == ["module"]
        assert failed["module"].startswith(
            "Unable to load module because of error when evaluating modulefile: "
            f"{tmp_path}/modules/Core/hpai/good/1.0.lua: "
        )

    @pytest.mark.parametrize(
        ("cleared", "fault"),
        [
            ((), "No module named 'encodings'"),
            (("PYTHONHOME", "PYTHONPATH"), "No module named 'good'"),
            (("PYTHONEXECUTABLE", "PYTHONHOME"), "numpy comes from"),
            (("PYTHONEXECUTABLE", "PYTHONHOME", "PYTHONPATH"), ""),
        ],
    )
    def test_what_a_module_does_not_clear_is_found(
        self, built: Site, cleared: tuple[str, ...], fault: str, tmp_path: Path
    ):
        prefix = built.trial("good", tmp_path).framework.prefix
        lines = [f'prepend_path("PATH", "{prefix}/bin")', *(f'pushenv("{name}", false)' for name in cleared)]
        failed = self.staged_with(built, "\n".join(lines), tmp_path)
        assert list(failed) == (["isolation from a hostile caller"] if fault else [])
        assert fault in "".join(failed.values())

    def test_a_module_that_does_not_put_its_python_first(self, built: Site, tmp_path: Path):
        failed = self.staged_with(built, 'setenv("NOTHING", "1")', tmp_path)
        assert "import" in failed


def test_what_is_tested_is_told(built: Site):
    progress = Recorder()
    only = Release.model_validate_json((built.staged / "release.json").read_text())
    one = only.model_copy(update={"frameworks": only.frameworks[:1]})
    place = built.staged.parent / "one"
    files.write(place / "release.json", one.model_dump_json())
    smoke(place, built.plan, LoggedRunner(Silent()), progress)
    assert progress.lines[-1] == "testing astray 1.0 as hpai/astray/1.0"
