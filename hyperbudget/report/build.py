"""Build ``report.html`` and ``report.pdf`` from a frame, with one template."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import jinja2
import pandas as pd
from markupsafe import Markup, escape

from hyperbudget.analyze.summary import analyze
from hyperbudget.errors import UserError
from hyperbudget.figures.style import css_variables
from hyperbudget.report.certainty import certainty
from hyperbudget.report.figures import render_figures
from hyperbudget.report.inside import inside
from hyperbudget.report.provenance import provenance
from hyperbudget.report.tables import tables
from hyperbudget.report.text import header

HERE = Path(__file__).parent
HTML, PDF = "report.html", "report.pdf"


def build(frame: pd.DataFrame, out: Path, only: Literal["html", "pdf"] | None = None) -> list[Path]:
    """Write the report of `frame` into the folder `out`, made if it is missing; returns the files written.

    The same frame gives the same bytes. Raises UserError when the libraries that WeasyPrint needs are not there; the
    HTML is then written nonetheless, unless `only` is ``pdf``.
    """
    out.mkdir(parents=True, exist_ok=True)
    context = _context(frame)
    written = []
    if only != "pdf":
        _write(out / HTML, render(context, "html").encode())
        written.append(out / HTML)
    if only != "html":
        from hyperbudget.report.pdf import to_pdf

        try:
            data = to_pdf(render(context, "pdf"))
        except (ImportError, OSError) as error:
            kept = f"; {out / HTML} was written" if written else ""
            raise UserError(
                f"the PDF needs WeasyPrint and its native libraries ({error}); install Pango, for example "
                f"'apt install libpango-1.0-0 libpangoft2-1.0-0' or 'brew install pango', or use --only html{kept}"
            ) from None
        _write(out / PDF, data)
        written.append(out / PDF)
    return written


def render(context: dict[str, Any], target: Literal["html", "pdf"]) -> str:
    """The page as text. target: ``html`` follows the reader's colour scheme, ``pdf`` is for paper."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    environment.filters["names"] = names
    return environment.get_template("template.html").render(
        **context,
        target=target,
        figures=[render_figures(part["runs"], target == "html", part["suffix"]) for part in context["parts"]],
        css=Markup((HERE / "style.css").read_text(encoding="utf-8")),
        figure_colors=Markup(css_variables(dark=False)),
        figure_colors_dark=Markup(css_variables(dark=True)),
    )


def names(text: str) -> Markup:
    """Escape `text`, set its N_z with a subscript, and keep signs and intervals with their numbers.

    An interval of bits is long, so that one would often be broken: it stays whole.
    """
    words = str(escape(text)).replace("≤ ", "≤\u00a0").replace("N_z ", "N_z\u00a0")
    words = re.sub(r"(?<=\d) \[([\d.]+), (?=[\d.]+\])", "\u00a0[\\1,\u00a0", words.replace("% [", "%\u00a0["))
    return Markup(words.replace("N_z", "N<sub>z</sub>"))


def _context(frame: pd.DataFrame) -> dict[str, Any]:
    """What the template prints, figures excepted. Tasks are never mixed: each has its own part."""
    parts = [(task, runs, analyze(runs)) for task, runs in split(frame).items()]
    several = len(parts) > 1
    return {
        **header(frame, [analysis for _, _, analysis in parts]),
        "parts": [
            {
                "on": f" on {task}" if several else "",
                "suffix": f"-{number}" if several else "",
                "runs": runs,
                "verdict": analysis.verdict,
                "health": analysis.health,
                "tables": tables(analysis),
                "certainty": certainty(analysis),
                "inside": inside(runs, analysis.metric),
            }
            for number, (task, runs, analysis) in enumerate(parts, start=1)
        ],
        "metrics": sorted({analysis.metric.name for _, _, analysis in parts}),
        "provenance": provenance(frame),
    }


def split(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The runs of each task. A baseline among the families of other tasks is none of its own."""
    tasks = sorted({str(task) for task in frame["task"]})
    if len(tasks) < 2:
        return {tasks[0] if tasks else "": frame}
    found = {}
    for task in tasks:
        found[task] = frame[frame["task"] == task].copy()
        study = frame.attrs["study"]
        elsewhere = set(frame["model.family"]) - set(found[task]["model.family"])
        if study.get("baseline") in elsewhere:
            study = study | {"baseline": None}
        found[task].attrs = frame.attrs | {"study": study}
    return found


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    partial = path.with_name(f"{path.name}.part")
    partial.write_bytes(data)
    partial.replace(path)
