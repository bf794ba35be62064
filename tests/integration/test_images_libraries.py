"""What the loader would look for: read from real files, found on this machine, and seen inside of images."""

import io
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from packaging.version import Version

from stackgen.errors import WorkError
from stackgen.images.elf import Elf, elf_in, elf_of, is_of_glibc, newest_glibc
from stackgen.images.host import HostParts, host_parts
from stackgen.images.lacking import lacking, programs
from stackgen.images.loader import Library, Loader, loader_here
from stackgen.images.seen import seen
from stackgen.images.standing import Standing
from stackgen.mpi import Flavour, Mpi
from stackgen.run import Command, LoggedRunner, Outcome

GCC = shutil.which("gcc")
OPEN_MPI = Mpi(spec="openmpi@4.1.4", flavour=Flavour.OPEN_MPI, prefix=Path("/usr"))
NEWER = "name a newer one, such as `containers: {base: debian:12}`"


def distribution(glibc: str, **libraries: frozenset[str]) -> Standing:
    """A distribution with a glibc, and libraries that offer these versions."""
    known = {"libc.so.6": frozenset({"GLIBC_2.2.5", f"GLIBC_{glibc}"}), **libraries}
    elves = {
        name: Elf(machine="EM_X86_64 64", soname=name, needed=(), search=(), asks={}, offers=offers)
        for name, offers in known.items()
    }
    return Standing(title="debian:11", remedy=NEWER, libraries=elves)


def compiled(directory: Path, name: str, text: str, *words: str) -> Path:
    """A library or a program of a C text."""
    if GCC is None:
        pytest.skip("no gcc")
    directory.mkdir(parents=True, exist_ok=True)
    source = directory / f"{name}.c"
    source.write_text(text)
    subprocess.run((GCC, "-o", directory / name, source, *words), check=True)
    source.unlink()
    return directory / name


@pytest.fixture
def loader(run: LoggedRunner) -> Loader:
    return loader_here(run)


@pytest.fixture
def open_mpi(loader: Loader, run: LoggedRunner) -> HostParts:
    if not Path("/usr/bin/mpicc.openmpi").exists():
        pytest.skip("no Open MPI in /usr")
    return host_parts(OPEN_MPI, (), loader, run)


def test_what_a_library_says(tmp_path: Path):
    words = ("-shared", "-Wl,-soname,libone.so.1", "-Wl,-rpath,$ORIGIN/../lib:/opt/more")
    found = elf_of(compiled(tmp_path, "libone.so", '#include <stdio.h>\nvoid f() { puts(""); }', *words))
    assert found
    assert (found.soname, found.search) == ("libone.so.1", ("$ORIGIN/../lib", "/opt/more"))
    assert found.needed == ("libc.so.6",)
    assert found.glibc >= Version("2.2.5")


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"\x7fELF" + b"\xff" * 2000, b"#!/bin/sh\n"])
def test_what_is_no_library_says_nothing(content: bytes):
    assert elf_in(content) is None


def test_libraries_that_are_cut_off_break_nothing():
    content = Path(os.path.realpath("/proc/self/exe")).read_bytes()[:200_000]
    for size in (16, 63, 64, 100, 4096, 100_000):
        elf_in(content[:size])


def test_a_library_that_says_it_has_billions_of_versions_is_damaged(loader: Loader):
    content = bytearray(loader.cached["libc.so.6"][0].read_bytes())
    file = ELFFile(io.BytesIO(content))
    number = file.get_section_index(".gnu.version_d")
    assert number
    count = file["e_shoff"] + number * file["e_shentsize"] + 44  # of ELF with 64 bits: sh_info
    content[count : count + 4] = b"\xff" * 4
    first = file.get_section(number)["sh_offset"]
    content[first + 16 : first + 20] = bytes(4)  # vd_next: the next one is the same
    assert elf_in(bytes(content)) is None


def test_what_belongs_to_glibc():
    own = (
        "libc.so.6",
        "ld-linux-x86-64.so.2",
        "libm.so.6",
        "libnss_dns.so.2",
        "libnsl.so.1",
        "libpthread.so.0",
    )
    assert [name for name in own if not is_of_glibc(name)] == []
    others = ("libcrypt.so.1", "libmpi.so.40", "libcuda.so.1", "libnsl.so.2", "libdlb.so.1", "librtmp.so.1")
    assert [name for name in others if is_of_glibc(name)] == []
    assert newest_glibc({"GLIBC_2.9", "GLIBC_2.34", "GLIBC_PRIVATE", "GLIBCXX_3.4"}) == Version("2.34")


def test_a_library_of_the_host_is_found_with_what_it_needs(tmp_path: Path, run: LoggedRunner):
    there = tmp_path / "there"
    compiled(there, "libtwo.so", "void g() {}", "-shared", "-Wl,-soname,libtwo.so")
    two = ("-shared", "-Wl,--no-as-needed", f"-L{there}", "-ltwo", f"-Wl,-rpath,{there}")
    compiled(there, "libone.so", "void f() {}", *two)
    one = ("-Wl,--no-as-needed", f"-L{there}", "-lone", f"-Wl,-rpath,{there}")
    compiled(tmp_path / "prefix", "program", "int main() { return 0; }", *one)
    compiled(tmp_path / "prefix", "libown.so", "void h() {}", "-shared")
    loader = loader_here(run)
    found = programs((tmp_path / "prefix",), loader)
    assert [program.path.name for program in found] == ["libown.so", "program"]
    host = distribution("2.99")
    assert {name: one.path for name, one in lacking(found, host, loader, ()).items()} == {
        "libone.so": there / "libone.so",
        "libtwo.so": there / "libtwo.so",
    }
    assert lacking(found, distribution("2.99", **{"libone.so": frozenset()}), loader, ()) == {}
    assert lacking(found, host, loader, {"libone.so"}) == {}


def test_a_framework_that_needs_a_newer_glibc_is_refused(tmp_path: Path, loader: Loader):
    path = compiled(tmp_path, "program", '#include <stdio.h>\nint main() { return puts(""); }')
    with pytest.raises(WorkError) as caught:
        lacking(programs((tmp_path,), loader), distribution("2.3"), loader, ())
    needs = elf_of(path)
    assert needs
    assert str(caught.value) == (
        f"{path} needs glibc {needs.glibc}, and debian:11, which the image stands on, has glibc 2.3; {NEWER}"
    )


def test_an_mpi_of_nobody_is_not_copied_without_its_plugins(tmp_path: Path, loader: Loader):
    if "libmpi.so.40" not in loader.cached:
        pytest.skip("no Open MPI")
    words = ("-Wl,--no-as-needed", str(loader.cached["libmpi.so.40"][0]))
    compiled(tmp_path, "program", "int main() { return 0; }", *words)
    with pytest.raises(WorkError) as caught:
        lacking(programs((tmp_path,), loader), distribution("2.99"), loader, ())
    assert str(caught.value) == (
        "libmpi.so.40, which the framework needs, is not in debian:11; say `containers: {mpi: host}` of the"
        " system, with `toolchain: {mpi: ...}`, or name what brings it by `containers: {packages: [...]}`"
    )


def test_the_open_mpi_of_debian_is_seen_with_its_plugins(open_mpi: HostParts):
    assert {"libmpi.so.40", "libopen-pal.so.40", "libpmix.so.2", "libhwloc.so.15"} <= open_mpi.names
    assert {"/etc/openmpi", "/usr/share/openmpi"} <= set(open_mpi.directories)
    plugins = [one for one in open_mpi.directories if one.endswith("/openmpi") and one.startswith("/usr/lib")]
    assert len(plugins) == 1
    assert not [name for name in open_mpi.names if is_of_glibc(name)]
    shown = seen(open_mpi, distribution("2.99"), "the host's Open MPI")
    sources = {bind.target: bind.source for bind in shown.binds}
    for name, target in shown.links.items():
        directory, _, file = target.rpartition("/")
        assert (Path(sources[directory]) / file).exists(), name


def test_what_the_distribution_has_itself_is_left_to_it(open_mpi: HostParts):
    asked = {version for one in open_mpi.libraries for version in one.elf.asks.get("libz.so.1", ())}
    newer = {"libz.so.1": frozenset({"ZLIB_1.2.9", *asked}), "libhwloc.so.15": frozenset()}
    shown = seen(open_mpi, distribution("2.99", **newer), "")
    assert "libz.so.1" not in shown.links
    assert "libhwloc.so.15" in shown.links, "nobody can tell that a library without versions serves"


def test_an_older_glibc_than_the_mpi_of_the_host_needs_is_refused(open_mpi: HostParts):
    with pytest.raises(WorkError) as caught:
        seen(open_mpi, distribution("2.3"), "the host's Open MPI")
    message = str(caught.value)
    newest = max(one.elf.glibc for one in open_mpi.libraries)
    assert f" of the host's Open MPI needs glibc {newest}, and debian:11, which the image" in message
    assert message.endswith(f"stands on, has glibc 2.3; {NEWER}")


def test_an_image_without_glibc_is_refused(open_mpi: HostParts):
    with pytest.raises(WorkError) as caught:
        seen(open_mpi, Standing(title="alpine", remedy="take another"), "the host's Open MPI")
    assert str(caught.value).endswith("and alpine, which the image stands on, has no glibc; take another")


def test_an_mpi_that_is_not_there_is_told(tmp_path: Path, loader: Loader, run: LoggedRunner):
    absent = Mpi(spec="openmpi@5.0.8", flavour=Flavour.OPEN_MPI, prefix=tmp_path)
    with pytest.raises(WorkError) as caught:
        host_parts(absent, (), loader, run)
    assert str(caught.value) == (
        f"the libraries of openmpi@5.0.8 in {tmp_path} are not found, which containers are to use;"
        " install its compiler there, or say `containers: {mpi: image}` of the system"
    )


def test_an_mpi_elsewhere_is_seen_whole(tmp_path: Path, loader: Loader, run: LoggedRunner):
    compiled(tmp_path / "lib", "libmpi.so.40", "void MPI_Init() {}", "-shared", "-Wl,-soname,libmpi.so.40")
    compiled(tmp_path / "lib/openmpi", "mca_pml.so", "void p() {}", "-shared")
    elsewhere = Mpi(spec="openmpi@5.0.8", flavour=Flavour.OPEN_MPI, prefix=tmp_path)
    found = host_parts(elsewhere, (), loader, run)
    assert found.directories == (str(tmp_path),)
    assert found.names == {"libmpi.so.40"}


def test_patterns_name_libraries_of_the_host(tmp_path: Path, loader: Loader, run: LoggedRunner):
    compiled(tmp_path, "libcuda.so.535.1", "void c() {}", "-shared", "-Wl,-soname,libcuda.so.1")
    (tmp_path / "libcuda.so.1").symlink_to("libcuda.so.535.1")
    (tmp_path / "libcuda.so.1.text").write_text("no library")
    found = host_parts(None, (f"{tmp_path}/libcuda.so.*", "/nowhere/*.so"), loader, run)
    shown = seen(found, distribution("2.99"), "")
    assert shown.links == {
        "libcuda.so.1": "/.stackgen/host/0/libcuda.so.1",
        "libcuda.so.535.1": "/.stackgen/host/0/libcuda.so.535.1",
    }
    assert [(bind.source, bind.target) for bind in shown.binds] == [(str(tmp_path), "/.stackgen/host/0")]


def test_a_library_through_links_is_bound_where_it_really_lies(tmp_path: Path, loader: Loader):
    real = compiled(tmp_path / "real", "libx.so.1.2", "void x() {}", "-shared", "-Wl,-soname,libx.so.1")
    (tmp_path / "shown").mkdir()
    link = tmp_path / "shown/libx.so.1"
    link.symlink_to(real)
    elf = elf_of(link)
    assert elf
    shown = seen(
        HostParts(libraries=(Library(name="libx.so.1", path=link, elf=elf),)), distribution("2.99"), ""
    )
    assert shown.links == {"libx.so.1": "/.stackgen/host/0/libx.so.1.2"}
    assert shown.binds[0].source == str(tmp_path / "real")


def test_an_mpi_without_its_compilers_is_known_by_the_names_of_its_libraries(
    loader: Loader, tmp_path: Path, run: LoggedRunner
):
    if "libmpi.so.40" not in loader.cached:
        pytest.skip("no Open MPI")

    def told_nothing(command: Command) -> Outcome:
        return run(replace(command, argv=("false",)))

    assert {"libmpi.so.40", "libopen-pal.so.40"} <= host_parts(OPEN_MPI, (), loader, told_nothing).names
