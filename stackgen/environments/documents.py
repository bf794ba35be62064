"""YAML as Spack reads it, written from values: the same bytes on every host."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

Document = str | int | bool | Sequence["Document"] | Mapping[str, "Document"]

_LIKE_A_NUMBER = re.compile(r"[-+.]*\d")


class _Dumper(yaml.SafeDumper):
    """Quotes what any YAML might take for a number: Spack reads 1e5 as one, PyYAML does not."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401 - as in PyYAML
        """Write every value where it stands."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002
        """Indent lists below their key."""
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "'" if _LIKE_A_NUMBER.match(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def document(head: str, content: Mapping[str, Document]) -> str:
    """The text of a YAML file below a comment, keys sorted."""
    body = yaml.dump(content, Dumper=_Dumper, default_flow_style=False, width=100, allow_unicode=True)
    return f"# {head}\n{body}"
