"""What one interleaved measurement says: as rows of text and as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from hyperbudget.bench.interleaved import Rounds

Row = tuple[str, ...]


class Ratio(NamedTuple):
    """A time to be shown as a multiple of another one; `target` says in words what it should be, if anything."""

    variant: str
    baseline: str
    target: str = ""


@dataclass(frozen=True)
class Comparison:
    """A measurement and the ratios that it was made for. A step takes `batch` samples, which `unit` names."""

    name: str
    batch: int
    rounds: Rounds
    ratios: tuple[Ratio, ...]
    unit: str = "images"

    def time_rows(self) -> list[Row]:
        """For each variant its step time in milliseconds and its samples a second, below a row of heads."""
        rows: list[Row] = [("variant", "ms a step", "[q1, q3]", f"{self.unit}/s")]
        for name in self.rounds.seconds:
            spread = self.rounds.time(name)
            low, middle, high = (f"{1000 * seconds:,.2f}" for seconds in spread)
            rows.append((name, middle, f"[{low}, {high}]", f"{self.batch / spread.median:,.0f}"))
        return rows

    def ratio_rows(self) -> list[Row]:
        """The ratios and what they should be, below a row of heads."""
        rows: list[Row] = [("ratio of times", "median", "[q1, q3]", "target")]
        for variant, baseline, target in self.ratios:
            low, middle, high = (f"{ratio:.3f}" for ratio in self.rounds.ratio(variant, baseline))
            rows.append((f"{variant} / {baseline}", middle, f"[{low}, {high}]", target))
        return rows

    def fields(self) -> dict[str, Any]:
        """As plain JSON data, every round's time included."""
        return {
            "name": self.name,
            "batch": self.batch,
            "variants": {
                name: {
                    "seconds_per_step": self.rounds.time(name)._asdict(),
                    f"{self.unit}_per_second": self.batch / self.rounds.time(name).median,
                    "seconds_by_round": seconds,
                }
                for name, seconds in self.rounds.seconds.items()
            },
            "ratios": [
                {**ratio._asdict(), **self.rounds.ratio(ratio.variant, ratio.baseline)._asdict()}
                for ratio in self.ratios
            ],
        }
