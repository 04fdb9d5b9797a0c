from __future__ import annotations

import math
from typing import Any

import pytest

from hyperbudget.config.yaml_reader import Document, YamlSyntaxError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E5", 100_000.0),
        (".5", 0.5),
        ("12", 12),
        ("012", 12),
        ("0o14", 12),
        ("0x1f", 31),
        ("-3", -3),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("1:20", "1:20"),
        ("2001-01-01", "2001-01-01"),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("-.inf", -math.inf),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    read = Document(f"a: {text}").data["a"]
    assert read == value
    assert type(read) is type(value)


def test_every_value_has_its_line() -> None:
    document = Document("a: 1\nb:\n  c: {d: 2,\n      e: 3}\n  f:\n    - 4\n    - 5\n")
    assert document.data == {"a": 1, "b": {"c": {"d": 2, "e": 3}, "f": [4, 5]}}
    assert document.lines == {
        (): 1, ("a",): 1, ("b",): 2, ("b", "c"): 3, ("b", "c", "d"): 3, ("b", "c", "e"): 4,
        ("b", "f"): 5, ("b", "f", 0): 6, ("b", "f", 1): 7,
    }  # fmt: skip


def test_of_a_key_given_twice_the_first_counts() -> None:
    document = Document("a: {b: 1}\nc: 2\na: 3\n")
    assert document.data == {"a": {"b": 1}, "c": 2}
    assert document.problems == [(("a",), 3, "given twice; the first is on line 1")]


def test_aliases_are_values() -> None:
    assert Document("a: &x [1, 2]\nb: *x\n").data == {"a": [1, 2], "b": [1, 2]}


def test_an_alias_within_itself_is_a_problem() -> None:
    assert [problem[1:] for problem in Document("a: &x\n  - *x\n").problems] == [
        (1, "an alias to a value that contains the alias itself")
    ]


def test_tags_are_refused() -> None:
    document = Document("a: 1\nb: !!python/name:os.system 1\nc: !foo [1]\n")
    assert [key for key, _, _ in document.problems] == [("b",), ("c",)]
    assert document.problems[1][1:] == (3, "the YAML tag !foo is not allowed here; write the plain value")


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a: 1\nb: c: d\n", 2, "not YAML: mapping values are not allowed here"),
        ("a: 1\nb: *x\n", 2, "not YAML: found undefined alias 'x'"),
        ("a: 1\n---\nb: 2\n", 2, "not YAML: expected a single document in the stream, but found another document"),
        ("%YAML 1.1\n---\na: no\n", 1, "%YAML 1.1: study files are YAML 1.2; remove this line"),
    ],
)
def test_what_is_no_yaml_has_a_line(text: str, line: int, what: str) -> None:
    with pytest.raises(YamlSyntaxError) as caught:
        Document(text)
    assert (caught.value.line, caught.value.what) == (line, what)


def test_a_control_character_has_a_line() -> None:
    with pytest.raises(YamlSyntaxError) as caught:
        Document("a: 1\nb: \x00\n")
    assert caught.value.line == 2


def test_nothing_is_empty() -> None:
    assert Document("# nothing\n").empty
    assert not Document("null\n").empty
