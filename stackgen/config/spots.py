"""Where a location of pydantic leads, in the file and in the schema at once."""

from dataclasses import dataclass, replace

from stackgen.config.nodes import Mapping, Node, Sequence, key_path
from stackgen.config.schema import JsonSchema
from stackgen.errors import Place

KEY = "[key]"
"""What pydantic ends a location with, where a key is meant and not its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A value, or the lack of one: its key path, its place, and what the schema says of it."""

    where: str = ""
    key: str = ""
    node: Node | None
    key_place: Place
    """Where its key stands; for a missing one, the key of the mapping that lacks it."""
    rules: JsonSchema
    definitions: JsonSchema

    @property
    def place(self) -> Place:
        """Where its value stands, or its key where it has none."""
        return self.node.place if self.node else self.key_place

    @property
    def choices(self) -> dict[str, str]:
        """What `from:` may say here, each with the definition it leads to."""
        names = {rule: name for name, rule in self.rules.get("discriminator", {}).get("mapping", {}).items()}
        return {names[rule["$ref"]]: rule["$ref"] for rule in self.rules.get("oneOf", ())}

    @property
    def example(self) -> str:
        """How it could be written, `key: value` or, of an item, the value alone; or nothing."""
        value = _example(self.rules)
        return value if self.where.endswith("]") else f"{self.key}: {value}".rstrip()

    @property
    def item_example(self) -> str:
        """How an item of this list could be written."""
        return _example(self._resolved(self.rules.get("items", {})))

    @property
    def takes_text(self) -> bool:
        """Whether an item of this list may be a text."""
        items = self.rules.get("items", {})
        kinds = [self._resolved(rule).get("type") for rule in items.get("anyOf", [items])]
        return "object" not in kinds or "string" in kinds

    def at(self, location: tuple[str | int, ...]) -> "Spot":
        """The spot that a location of pydantic means."""
        spot = self
        for part in location:
            spot = spot._step(part)
        return spot

    def _step(self, part: str | int) -> "Spot":
        if part == KEY and not (isinstance(self.node, Mapping) and KEY in self.node.entries):
            return replace(self, node=None)
        if part in self.choices:  # a union's tag, which is no step in the file
            return replace(self, rules=self._resolved({"$ref": self.choices[part]}))
        node, place = _child(self.node, part)
        return replace(
            self,
            where=key_path(self.where, part),
            key=str(part),
            node=node,
            key_place=place or self.key_place,
            rules=self._resolved(_rules_below(self.rules, part), node),
        )

    def _resolved(self, rules: JsonSchema, node: Node | None = None) -> JsonSchema:
        """The rules themselves; of several, those for keys where keys are, else the first."""
        if "$ref" in rules:
            return dict(self.definitions[rules["$ref"].rpartition("/")[2]])
        if "anyOf" in rules:
            choices = [self._resolved(rule, node) for rule in rules["anyOf"] if rule.get("type") != "null"]
            of_keys = (rule for rule in choices if isinstance(node, Mapping) and "properties" in rule)
            return next(of_keys, choices[0])
        return rules


def _child(node: Node | None, part: str | int) -> tuple[Node | None, Place | None]:
    match node, part:
        case Mapping(entries=entries), str() if part in entries:
            return entries[part].node, entries[part].key
        case Sequence(items=items), int():
            return items[part], items[part].place
    return None, None


def _rules_below(rules: JsonSchema, part: str | int) -> JsonSchema:
    if isinstance(part, int):
        return dict(rules.get("items", {}))
    if part in rules.get("properties", {}):
        return dict(rules["properties"][part])
    patterns = list(rules.get("patternProperties", {}).values())
    values = patterns[0] if patterns else rules.get("additionalProperties")
    return values if isinstance(values, dict) else {}


def _example(rules: JsonSchema) -> str:
    if rules.get("type") == "object":
        needed = [f"{key}: {_example(rules['properties'][key])}" for key in rules.get("required", ())]
        return f"{{{', '.join(needed)}}}" if needed else ""
    examples = [*rules.get("examples", ()), *rules.get("enum", ()), ""]
    return str(examples[0])
