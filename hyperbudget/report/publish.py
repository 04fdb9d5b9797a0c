"""A template and what it prints -> one HTML page and one PDF."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import jinja2
from markupsafe import Markup, escape

from hyperbudget.errors import UserError
from hyperbudget.figures.style import css_variables
from hyperbudget.report.provenance import data_uri
from hyperbudget.study.folder import write_bytes

HERE = Path(__file__).parent
Target = Literal["html", "pdf"]


def publish(
    draw: Callable[[Target, Mapping[str, float]], str],
    out: Path,
    name: str,
    attached: Mapping[str, str],
    only: Target | None = None,
) -> list[Path]:
    """Write NAME.html and NAME.pdf into the folder `out`, made if it is missing; returns the files written.

    draw: the page for a target, with figures that are stretched as told, by name. attached: text by file name,
    for the PDF to carry. Raises UserError when the libraries that WeasyPrint needs are not there; the HTML is then
    written nonetheless, unless `only` is ``pdf``.
    """
    out.mkdir(parents=True, exist_ok=True)
    html, pdf = out / f"{name}.html", out / f"{name}.pdf"
    written = []
    if only != "pdf":
        write_bytes(html, draw("html", {}).encode())
        written.append(html)
    if only != "html":
        from hyperbudget.report.pdf import to_pdf

        try:
            data = to_pdf(functools.partial(draw, "pdf"), attached)
        except (ImportError, OSError) as error:
            kept = f"; {html} was written" if written else ""
            raise UserError(
                f"the PDF needs WeasyPrint and its native libraries ({error}); install Pango, for example "
                f"'apt install libpango-1.0-0 libpangoft2-1.0-0' or 'brew install pango', or use --only html{kept}"
            ) from None
        write_bytes(pdf, data)
        written.append(pdf)
    return written


def render(template: str, context: Mapping[str, Any], target: Target) -> str:
    """The page as text. target: ``html`` follows the reader's colour scheme, ``pdf`` is for paper."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    environment.filters |= {"names": names, "sections": sections, "scrollable": scrollable, "data_uri": data_uri}
    return environment.get_template(template).render(
        **context,
        target=target,
        css=Markup((HERE / "style.css").read_text(encoding="utf-8")),
        script=Markup((HERE / "page.js").read_text(encoding="utf-8")),
        figure_colors=Markup(css_variables(dark=False)),
        figure_colors_dark=Markup(css_variables(dark=True)),
    )


def names(text: str) -> Markup:
    """Escape `text`, set its N_z with a subscript, and keep signs and intervals with their numbers.

    An interval of bits is long, so that one would often be broken: it stays whole.
    """
    words = str(escape(text)).replace("≤ ", "≤\u00a0").replace("N_z ", "N_z\u00a0").replace("× ", "×\u00a0")
    words = re.sub(r"(?<=\d) \[([\d.]+), (?=[\d.]+\])", "\u00a0[\\1,\u00a0", words.replace("% [", "%\u00a0["))
    return Markup(words.replace("N_z", "N<sub>z</sub>"))


def sections(body: str) -> list[tuple[str, Markup]]:
    """(id, heading) of every section of a page, for its contents."""
    found = re.findall(r'<section id="([^"]+)"[^>]*>\s*<h2[^>]*>(.*?)</h2>', body, flags=re.DOTALL)
    return [(name, Markup(title)) for name, title in found]


def scrollable(body: str) -> Markup:
    """Every table in a box that scrolls where the page is narrower: made to scroll itself, it is no table any more."""
    return Markup(re.sub("<table.*?</table>", r'<div class="table">\g<0></div>', str(body), flags=re.DOTALL))
