"""What a task's quality is measured in: how it is named, written and drawn. Of every metric less is better.

The code calls a quality an error whatever it is measured in; only a `Metric` knows how to say it to a reader.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A metric as its readers see it."""

    name: str
    """In a result and in the frame's column ``metric``."""
    title: str
    """In a sentence, behind ``test`` or ``validation``."""
    plural: bool
    """Whether the title is: bits per character are fewer, an error is lower."""
    short: str
    """Where there is no room for the title."""
    head: str
    """In the head of a table: the metric, and what its numbers are."""
    sign: str
    """Right behind every number outside a table."""
    unit: str
    """Behind that, where nothing else names the metric."""
    factor: float
    """What a value is multiplied by to be written."""
    decimals: int
    """Of a number in a table."""
    write: Callable[[float], str]
    """A value in a sentence, with its sign."""
    ceiling: float
    """The worst possible value."""
    step: float | None
    """The smallest difference that a measurement can show; None: one sample of the split."""
    finer: int
    """Differences are so many powers of ten smaller than those of errors, on the log scale."""

    @property
    def grain(self) -> float:
        """Least widths on log axes, over those that suit errors: exponents of the factors that span them."""
        return 10.0**-self.finer

    @property
    def measure(self) -> str:
        """What the numbers of a table are: ``%``, ``bpc``."""
        return self.sign or self.unit.strip()

    @property
    def pronoun(self) -> str:
        return "those" if self.plural else "that"

    def number(self, value: float) -> str:
        """In a table, whose head has the sign: ``1.33``, ``1.312``."""
        return f"{self.factor * value:.{self.decimals}f}"

    def full(self, value: float) -> str:
        """By itself: ``1.33%``, ``1.312 bpc``."""
        return f"{self.number(value)}{self.sign}{self.unit}"

    def measured(self, split: str, value: float) -> str:
        """``validation error 1.33%``, ``validation 1.312 bpc``."""
        return f"{split} {self.full(value)}" if self.unit else f"{split} {self.title} {self.full(value)}"

    def lower(self, split: str) -> str:
        """What the better of two has: ``a lower test error``, ``fewer test bits per character``."""
        return f"{'fewer' if self.plural else 'a lower'} {split} {self.title}"

    def higher(self, split: str) -> str:
        """What the worse of two has."""
        return f"{'more' if self.plural else 'a higher'} {split} {self.title}"

    @property
    def lower_again(self) -> str:
        """`lower`, where the metric was just named."""
        return "fewer" if self.plural else "the lower one"

    @property
    def higher_again(self) -> str:
        """`higher`, where the metric was just named."""
        return "more" if self.plural else "the higher one"

    def ratio(self, value: float) -> str:
        """A ratio of two values, with the decimals that its differences need: ``0.42``, ``0.974``."""
        return f"{value:.{2 + self.finer}f}"


def percent(share: float) -> str:
    """A share to two significant digits, at most two decimals: 0.0212 is ``2.1%``, 0.00724 ``0.72%``."""
    value = 100 * share
    decimals = 2 if value < 0.995 else 1 if value < 9.95 else 0
    return f"{value:.{decimals}f}%"


def bits(value: float) -> str:
    """To three decimals, as the field prints them: ``1.312``."""
    return f"{value:.3f}"


ERROR = Metric(
    name="error", title="error", plural=False, short="error", head="error, %", sign="%", unit="", factor=100,
    decimals=2, write=percent, ceiling=1.0, step=None, finer=0,
)  # fmt: skip
"""The share of wrong answers."""

BPC = Metric(
    name="bpc", title="bits per character", plural=True, short="bpc", head="bpc", sign="", unit=" bpc", factor=1,
    decimals=3, write=bits, ceiling=float("inf"), step=1e-6, finer=1,
)  # fmt: skip
"""Bits per character: the mean negative log2-likelihood. A step of rounding in float32 is all that it cannot show."""

METRICS = {metric.name: metric for metric in (ERROR, BPC)}


def metric_named(name: str | None) -> Metric:
    """The metric of that name; None, where a result names none: the error."""
    return ERROR if name is None else METRICS[name]
