"""Where the numbers come from: versions, hardware, seeds, data, the study itself, and every run as a table."""

from __future__ import annotations

import base64
from typing import Any

import pandas as pd

from hyperbudget.study.results.frame import LISTS


def provenance(frame: pd.DataFrame) -> dict[str, Any]:
    """What the last section of a report prints."""
    study = frame.attrs["study"]
    versions = {str(name): str(version) for name, version in (frame.attrs.get("versions") or {}).items()}
    commit = versions.pop("git", "")
    seeds = [str(seed) for seed in study.get("seeds") or sorted(int(seed) for seed in frame["seed"].unique())]
    entries = [
        ("seeds", ", ".join(seeds)),
        *((str(name), str(value)) for name, value in (frame.attrs.get("hardware") or {}).items()),
        ("device", _values(frame, "device")),
        ("data", _values(frame, "data_digest")),
        ("commit", commit),
    ]
    if "finished" in frame.columns and frame["finished"].notna().any():
        times = sorted(str(time) for time in frame["finished"].dropna())
        entries.append(("runs finished", f"{_day(times[0])} to {_day(times[-1])}" if times else ""))
    return {
        "command": str(study.get("command") or ""),
        "file": str(study.get("file") or "study.yaml"),
        "yaml": str(study.get("yaml") or "").rstrip("\n"),
        "entries": [(name, value) for name, value in entries if value],
        "versions": sorted(versions.items()),
        "csv": csv(frame),
        "runs": len(frame),
    }


def csv(frame: pd.DataFrame) -> str:
    """All runs as CSV, without what is in lists."""
    columns = [name for name in frame.columns if not name.startswith(LISTS)]
    return str(frame[columns].to_csv(index=False, lineterminator="\n"))


def data_uri(text: str) -> str:
    """A CSV as a link to itself."""
    return f"data:text/csv;charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}"


def _values(frame: pd.DataFrame, column: str) -> str:
    if column not in frame.columns:
        return ""
    return ", ".join(sorted({str(value) for value in frame[column].dropna()}))


def _day(time: str) -> str:
    return f"{time[:10]} {time[11:16]} UTC"
