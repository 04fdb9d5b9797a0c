"""YAML 1.2 (core schema) to plain data, with the line of every value and every key that is given twice."""

from __future__ import annotations

import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from hyperbudget.config.problems import Key

_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = {"str", "timestamp", "merge", "value"}  # the last three are YAML 1.1's: plain text in YAML 1.2
_CORE_TAGS = {"null", "bool", "int", "float", "map", "seq", *_TEXT_TAGS}
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_INFINITE = re.compile(r"([-+]?)\.(inf|Inf|INF)")


class YamlSyntaxError(Exception):
    """Text that is no YAML at all: the `line` (from 1) and what is wrong there."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"{line}: {what}")
        self.line = line
        self.what = what


class Document:
    """A YAML document. `data`: mappings, lists and scalars; `lines`: the line (from 1) of each value, by its key.

    `problems` holds (key, line, what is wrong) of keys given twice, of which the first counts, and of tags.
    Raises YamlSyntaxError.
    """

    def __init__(self, text: str) -> None:
        self.lines: dict[Key, int] = {}
        self.problems: list[tuple[Key, int, str]] = []
        root = _compose(text)
        self.empty = root is None
        self.data = None if root is None else self._plain(root, (), ())

    def _plain(self, node: Node, key: Key, parents: tuple[Node, ...]) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(key, line)
        if any(node is parent for parent in parents):
            self.problems.append((key, line, "an alias to a value that contains the alias itself"))
            return None
        if (tag := str(node.tag).removeprefix(_TAG)) not in _CORE_TAGS:
            self.problems.append((key, line, f"the YAML tag {node.tag} is not allowed here; write the plain value"))
        parents = (*parents, node)
        if isinstance(node, MappingNode):
            return self._mapping(node, key, parents)
        if isinstance(node, SequenceNode):
            return [self._plain(item, (*key, index), parents) for index, item in enumerate(node.value)]
        explicit_text = tag == "str" and _scalar(node.value) != node.value
        return node.value if explicit_text or getattr(node, "style", None) else _scalar(node.value)

    def _mapping(self, node: MappingNode, key: Key, parents: tuple[Node, ...]) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for name_node, value_node in node.value:
            line = name_node.start_mark.line + 1
            if not isinstance(name_node, ScalarNode):
                self.problems.append((key, line, "has a list or mapping as a key; keys are names"))
                continue
            name = str(name_node.value)
            if name in data:
                first = self.lines[(*key, name)]
                self.problems.append(((*key, name), line, f"given twice; the first is on line {first}"))
                continue
            self.lines[(*key, name)] = line
            data[name] = self._plain(value_node, (*key, name), parents)
        return data


def _compose(text: str) -> Node | None:
    yaml = YAML(typ="safe", pure=True)
    try:
        if (directive := re.search(r"^%YAML[ \t]+(?!1\.2\b)\S+", text, re.MULTILINE)) is not None:
            line = text.count("\n", 0, directive.start()) + 1
            raise YamlSyntaxError(line, f"{directive.group()}: study files are YAML 1.2; remove this line")
        root: Node | None = yaml.compose(text)
        return root
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(part for part in (error.context, error.problem) if part)
        raise YamlSyntaxError(mark.line + 1 if mark else 1, f"not YAML: {what}") from None
    except YAMLError as error:  # of the reader: a character that YAML does not allow
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        raise YamlSyntaxError(line, f"not YAML: {str(error).splitlines()[0]}") from None


def _scalar(text: str) -> Any:
    """A plain scalar by the core schema of YAML 1.2: ``1e-3`` is a number, ``no`` and ``1_000`` are texts."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true"
    if _INTEGER.fullmatch(text):
        return int(text)
    if re.fullmatch(r"0o[0-7]+|0x[0-9a-fA-F]+", text):
        return int(text, 0)
    if _NUMBER.fullmatch(text):
        return float(text)
    if infinite := _INFINITE.fullmatch(text):
        return float(infinite.group(1) + "inf")
    return float("nan") if text in (".nan", ".NaN", ".NAN") else text
