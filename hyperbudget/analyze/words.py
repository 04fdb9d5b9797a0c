"""Numbers and names in words, the same in text, tables and figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.intervals import Interval
from hyperbudget.study.results.metrics import Metric

_FAMILIES = {
    "free": "free net",
    "shared": "shared-kernel net",
    "hyper": "hypernetwork",
    "low_rank": "low-rank net",
    "dct": "DCT net",
    "coordinate": "coordinate net",
    "hashed": "hashed net",
    "lstm": "LSTM",
    "ln_lstm": "layer-norm LSTM",
    "hyper_lstm": "HyperLSTM",
    "ln_hyper_lstm": "layer-norm HyperLSTM",
    "rnn": "RNN",
    "hyper_rnn": "HyperRNN",
}
_LEGEND = _FAMILIES | {
    "free": "free kernels",
    "shared": "shared kernel",
    "hyper": "hypernetwork",
    "low_rank": "low rank",
    "dct": "DCT coefficients",
    "coordinate": "coordinate network",
    "hashed": "hashed weights",
    "ln_lstm": "LN-LSTM",
    "ln_hyper_lstm": "LN-HyperLSTM",
}
_AXES = {
    "model.embedding_size": "embedding size N_z",
    "model.generator_hidden": "generator hidden size d",
    "model.kernel_size": "kernel size",
    "model.basic_in": "basic kernel, input channels",
    "model.basic_out": "basic kernel, output channels",
    "model.coefficient_share": "share of DCT coefficients",
    "model.hidden_size": "hidden size",
    "model.num_layers": "layers",
    "model.hyper_size": "hyper cell size",
    "model.hidden": "hidden units",
    "model.output_layout": "layout of the output",
    "training.l2": "L2",
}


def family_name(family: str) -> str:
    """A member of the family, as a noun: ``hypernetwork``."""
    return _FAMILIES.get(family, f"{family.replace('_', ' ')} net")


def family_legend(family: str) -> str:
    """The family in a legend or a table."""
    return _LEGEND.get(family, family.replace("_", " "))


def axis_name(name: str) -> str:
    """An axis in words: ``model.embedding_size`` is ``embedding size N_z``."""
    return _AXES.get(name, name.rpartition(".")[2].replace("_", " "))


def group_name(group: str) -> str:
    """A group of the anatomy: ``hyper_cell`` is ``small cell``."""
    return {"hyper_cell": "small cell", "projections": "z and d", "recurrent": "main cell"}.get(group, group)


def short_axis_name(name: str) -> str:
    """An axis in a narrow place: ``training.learning_rate`` is ``lr``."""
    return {"training.learning_rate": "lr", "training.batch_size": "batch"}.get(name) or axis_name(name)


def interval(value: Interval, metric: Metric) -> str:
    """``2.1% [1.7, 2.6]``, ``1.312 [1.305, 1.320]``, or the bare value where there is no interval."""
    if value.low is None or value.high is None:
        return metric.write(value.mean)
    low, high = (metric.write(end).removesuffix(metric.sign) for end in (value.low, min(value.high, metric.ceiling)))
    return f"{metric.write(value.mean)} [{low}, {high}]"


def named(configuration: Configuration) -> str:
    """``hypernetwork (width 16 N_z 4; 1,410)``: with its learnable parameters."""
    return f"{family_name(configuration.family)} ({configuration.short_label}; {configuration.parameters:,})"


def count(number: int, noun: str) -> str:
    """``1 run``, ``2,000 runs``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def ratio(value: float) -> str:
    """``× 0.42``; two significant digits."""
    return f"× {value:.{max(0, 1 - math.floor(math.log10(value)))}f}" if value > 0 else "× 0"


def change(value: float, metric: Metric) -> str:
    """A ratio of two values of `metric`: ``× 0.42``, or, where small differences matter, ``× 0.974``."""
    return f"× {metric.ratio(value)}" if metric.finer else ratio(value)


def duration(seconds: float) -> str:
    """``41 s``, ``12 min``, ``3.2 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def operations(number: float) -> str:
    """Floating-point operations: ``240G``, ``1.3T``, ``5P``."""
    for unit, name in ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= 0.9995 * unit:
            return f"{number / unit:.3g}{name}"
    return f"{number:.0f}"


def listing(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def probability(share: float) -> str:
    """``0.73``; ``> 0.99`` and ``< 0.01`` at the ends, which no few seeds prove."""
    return "> 0.99" if share > 0.99 else "< 0.01" if share < 0.01 else f"{share:.2f}"


def target_text(target: float, metric: Metric) -> str:
    """A quality that is asked for: ``5%``, ``1.65``."""
    return f"{metric.factor * target:g}{metric.sign}"


def value_text(value: Any) -> str:
    """An axis's value: 0.003, 16, free."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def capital(sentence: str) -> str:
    """With a capital first letter."""
    return sentence[:1].upper() + sentence[1:]
