"""A study's configurations beside the rows that the paper prints (Ha, Dai & Le 2016)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hyperbudget.analyze.configurations import Configuration
from hyperbudget.budget.paper import ROWS, PaperRow

DROPOUTS = ("input", "recurrent", "output")


@dataclass(frozen=True)
class PaperMatch:
    """A printed row and the configuration that reproduces it: of all that have the row's fields, the best by
    validation. `candidates` is how many there were."""

    row: PaperRow
    configuration: Configuration
    candidates: int

    @property
    def count(self) -> int | None:
        """What the row counts, in our configuration."""
        return self.configuration.counts.get(self.row.counts)

    @property
    def inside(self) -> bool | None:
        """Whether the printed error lies in our interval; None without an interval."""
        test = self.configuration.test
        if test.low is None or test.high is None:
            return None
        return test.low <= self.row.error <= test.high

    @property
    def protocol(self) -> str:
        """How ours was trained, in words."""
        field = {key.removeprefix("training."): value for key, value in self.configuration.fields.items()}
        parts = []
        text = self.row.fields.get("model.network") == "language_model"
        if "steps" in field:
            size = f" of {field['batch_size']}" if "batch_size" in field else ""
            size += f" x {field['length']} symbols" if text and size and "length" in field else ""
            parts.append(f"{field['steps']:,} steps{size}")
        if "optimizer" in field:
            parts.append(str(field["optimizer"]))
        if "learning_rate" in field:
            parts.append(f"learning rate {field['learning_rate']:g}")
        if "schedule" in field:
            parts.append(f"{field['schedule']} schedule")
        if "augment" in field and not text:
            parts.append("random crops" if field["augment"] else "no augmentation")
        if text:
            drops = {part: self.configuration.fields.get(f"model.{part}_dropout") for part in DROPOUTS}
            kept = [f"{part} {1 - share:.0%}" for part, share in drops.items() if share]
            parts.append(f"dropout that keeps {', '.join(kept)}" if kept else "no dropout")
        if field.get("l2"):
            parts.append(f"L2 {field['l2']:g}")
        if field.get("precision", "fp32") != "fp32":
            parts.append(str(field["precision"]))
        return ", ".join(parts)


def paper_matches(configurations: Iterable[Configuration], rows: Iterable[PaperRow] = ROWS) -> list[PaperMatch]:
    """Every printed row that a configuration has the fields of, in the paper's order."""
    pool = list(configurations)
    found = []
    for row in rows:
        same = [c for c in pool if all(c.fields.get(name) == value for name, value in row.fields.items())]
        if same:
            found.append(PaperMatch(row, min(same, key=lambda c: c.selection_key), len(same)))
    return found
