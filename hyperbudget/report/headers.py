"""The headings of every cell of a tagged PDF's tables, for readers who hear one cell at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def complete_headers(document: Any, pdf: Any) -> None:
    """Link each data cell to the headings above its columns, and to that of its row: a finisher for WeasyPrint, which
    links a heading of several columns to the first of them alone.

    document: WeasyPrint's, not used. pdf: pydyf's, changed in place.
    """
    for table in pdf.objects:
        if isinstance(table, dict) and table.get("S") == "/Table":
            rows = [(part["S"] == "/THead", row) for part in _children(pdf, table) for row in _rows(pdf, part)]
            above: dict[int, list[Any]] = {}
            taken: set[tuple[int, int]] = set()
            for place, (head, row) in enumerate(rows):
                cells = list(_placed(_children(pdf, row), place, taken))
                beside = [cell["ID"] for cell, _ in cells if cell["S"] == "/TH" and not head]
                for cell, columns in cells:
                    if head and cell["S"] == "/TH":
                        for column in columns:
                            above.setdefault(column, []).append(cell["ID"])
                    elif cell["S"] == "/TD":
                        found = beside + [heading for column in columns for heading in above.get(column, ())]
                        cell["A"]["Headers"] = type(cell["K"])(dict.fromkeys(found))


def _children(pdf: Any, element: Any) -> list[Any]:
    """Its elements, without the marks of what is drawn."""
    references = [kid for kid in element["K"] if isinstance(kid, bytes)]
    found = [pdf.objects[int(reference.split()[0])] for reference in references]
    return [each for each in found if "S" in each]


def _rows(pdf: Any, part: Any) -> list[Any]:
    return [each for each in _children(pdf, part) if each["S"] == "/TR"]


def _placed(cells: list[Any], row: int, taken: set[tuple[int, int]]) -> Iterator[tuple[Any, range]]:
    """Each cell with its columns; those that it covers in later rows are added to `taken`."""
    column = 0
    for cell in cells:
        while (row, column) in taken:
            column += 1
        columns = range(column, column + int(cell["A"].get("ColSpan", 1)))
        taken |= {(row + down, at) for down in range(int(cell["A"].get("RowSpan", 1))) for at in columns}
        column = columns.stop
        yield cell, columns
