"""Modules for the oldest Pythons, joined to one file that runs where nothing is installed."""

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

_LATER = '''

class _Later(object):
    """A module that is imported when something of it is asked for: most runs need none of these."""

    def __init__(self, name):
        self.__name = name

    def __getattr__(self, attribute):
        module = globals()[self.__name] = __import__(self.__name)
        return getattr(module, attribute)


'''
_PUT_OFF = '''

def _need(module):
    """Run one of the texts below, after those that it needs: to compile all of them takes long."""
    if module in _SOURCES:
        source = _SOURCES.pop(module)
        for other in _NEEDS[module]:
            _need(other)
        exec(compile(source, module + " in " + __file__, "exec", 0, True), globals())


def _put_off(name, module):
    def start(*words, **named):
        _need(module)
        return globals()[name](*words, **named)

    return start


'''


def joined(  # noqa: PLR0913 - the last two only say what is put off
    package: Path,
    modules: Sequence[str],
    beginning: str,
    end: str,
    *,
    later: Collection[str] = (),
    first: Collection[str] | None = None,
) -> str:
    """One program of some modules of a package, in the order of their needs.

    They import from each other by name alone, and no two of them define the same name. What is imported as a
    whole and named in `later` is imported only when it is used, since that may take longer than all the rest;
    where some are `first`, the other modules are compiled only when a function of theirs is called.
    """
    sources = {name.rpartition("/")[2]: _source(package, name) for name in modules}
    imports = sorted(
        {line for source in sources.values() for line in _imports(source)}, key=_plain_imports_first
    )
    put_off = [name for name in sorted(later) if f"import {name}" in imports]
    imports = [line for line in imports if line.removeprefix("import ") not in put_off]
    if put_off:
        imports.append(_LATER + "\n".join(f'{name} = _Later("{name}")' for name in put_off))
    head = beginning + "\n".join(["", *imports, "", ""])
    if first is None:
        return head + "\n\n".join(map(_body, sources.values())) + end
    return head + _in_parts(sources, first) + end


def _source(package: Path, name: str) -> str:
    return (package / f"{name}.py").read_text(encoding="utf-8")


def _in_parts(sources: Mapping[str, str], first: Collection[str]) -> str:
    """The modules that come first as they are, the others as texts, and what runs those."""
    texts = {name: _body(source) for name, source in sources.items() if name not in first}
    eager = [source for name, source in sources.items() if name in first]
    asked = sorted({pair for source in eager for pair in _names_of_ours(source) if pair[1] in texts})
    stubs = "".join(f'{name} = _put_off("{name}", "{module}")\n' for name, module in asked)
    needs = {
        name: sorted({other for _, other in _names_of_ours(sources[name])} & set(texts)) for name in texts
    }
    lines = [f"    {name!r}: {_literal(text)},\n" for name, text in texts.items()]
    told = f"_NEEDS = {needs!r}\n_SOURCES = {{\n{''.join(lines)}}}\n"
    return _PUT_OFF.lstrip("\n") + stubs + "\n" + "\n\n".join(map(_body, eager)) + "\n" + told


def _literal(text: str) -> str:
    """A text as one of Python's, to be read by people as well."""
    return f"r'''{text}'''" if "'''" not in text else repr(text)


def _names_of_ours(source: str) -> Iterator[tuple[str, str]]:
    """What a module imports of the others, and of which."""
    for statement, _ in _statements(source):
        if isinstance(statement, ast.ImportFrom) and str(statement.module).startswith("stackgen."):
            module = str(statement.module).rpartition(".")[2]
            yield from ((alias.name, module) for alias in statement.names)


def _statements(source: str) -> Iterator[tuple[ast.stmt, bool]]:
    """The statements of a module after its docstring, each with whether it imports something."""
    for statement in ast.parse(source).body[1:]:
        yield statement, isinstance(statement, ast.Import | ast.ImportFrom)


def _imports(source: str) -> Iterator[str]:
    """What a module imports of the standard library, one name a line."""
    for statement, _ in _statements(source):
        if isinstance(statement, ast.Import):
            yield from (f"import {alias.name}" for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and not str(statement.module).startswith("stackgen."):
            yield from (f"from {statement.module} import {alias.name}" for alias in statement.names)


def _plain_imports_first(line: str) -> tuple[bool, str]:
    return line.startswith("from"), line


def _body(source: str) -> str:
    """A module without its docstring and imports, comments kept."""
    last = max(
        (statement.end_lineno or 0 for statement, imports in _statements(source) if imports), default=0
    )
    return "\n".join(source.splitlines()[last:]).strip("\n") + "\n"
