"""A figure as an SVG element to stand in a page: no file header, ids of its own, alt text, colours that follow it."""

from __future__ import annotations

import functools
import io
import re
from html import escape

from matplotlib.figure import Figure

from hyperbudget.figures.points import silence, told
from hyperbudget.figures.style import DARK, theme, variable

_MONO_FACES = "'Liberation Mono', 'DejaVu Sans Mono', monospace"
_PRINT_FACES = "'Helvetica Neue', 'Liberation Sans', Arial, 'DejaVu Sans', sans-serif"


def to_svg(figure: Figure, name: str, title: str, description: str, themed: bool) -> str:
    """The figure as one ``<svg role="img">``; the same bytes for the same figure.

    name: prefix of every id, unique within the page. title, description: what the figure shows and what it finds, for
    readers who cannot see it. themed: colours as CSS variables (`hyperbudget.figures.style.css_variables`), for a page
    that has a dark mode, and in ``data-points`` the texts of the marks (`hyperbudget.figures.points.told`), for its
    script; else colours as they are and no texts, for print, where the title alone becomes the alt text: it then has
    the description, too.
    """
    buffer = io.StringIO()
    with theme():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"\s*<defs>\s*<style.*?</style>\s*</defs>", "", text, flags=re.DOTALL)  # it would rule the whole page
    text = _slim(text)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    text = re.sub(r'xlink:href="#', f'xlink:href="#{name}-', text)
    text = re.sub(r"font(-family)?: ?([^;\"]*?)'DejaVu Sans( Mono)?'[^;\"]*", functools.partial(_font, themed), text)
    text = re.sub(r"(?<=>)([^<>]*\b[NdW]_[a-z]\b[^<>]*)(?=</text>)", _subscripts, text)
    box = re.search(r'viewBox="([^"]*)"', text)
    assert box is not None
    width, height = box.group(1).split()[2:]
    text = text[text.index(">") + 1 :].rstrip()
    if themed:
        colors = "|".join(color.removeprefix("#") for color in DARK)
        text = re.sub(rf"#({colors})\b", lambda found: f"var({variable(found.group(0))})", text)
    points = escape(told(figure), quote=False).replace("'", "&#x27;") if themed else ""
    data = f" data-points='{points}'" if points else ""
    alt = title if themed or not description else f"{title}. {description}"
    said = description + silence(figure) if themed else description
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        f'aria-labelledby="{name}-title {name}-description" viewBox="{box.group(1)}" width="{width}" height="{height}" '
        f'style="stroke-linejoin: round; stroke-linecap: butt; font-family: {"inherit" if themed else _PRINT_FACES}"'
        f"{data}>"
        f'<title id="{name}-title">{escape(alt)}</title><desc id="{name}-description">{escape(said)}</desc>'
    )
    return opening + text


def _slim(text: str) -> str:
    """Without what nobody sees: decimals of a point beyond the second, and a style said by each of many like marks."""
    text = re.sub(r'(?<= )(?:d|x|y)="[^"]*"', lambda found: re.sub(r"(?<=\.\d\d)\d+", "", found.group(0)), text)
    return re.sub(r'(<g clip-path="[^"]*")>((?:\s*<use [^>]*/>)+)', _style_once, text)


def _style_once(found: re.Match[str]) -> str:
    opening, marks = found.groups()
    styles = set(re.findall(r' style="[^"]*"', marks))
    if len(styles) != 1 or marks.count(" style=") < marks.count("<use "):
        return found.group(0)
    (style,) = styles
    return f"{opening}{style}>{marks.replace(style, '')}"


def _subscripts(found: re.Match[str]) -> str:
    """``N_z 16`` with its z below the line, and what follows on it again."""
    before, *rest = re.split(r"\b([NdW])_([a-z])\b", found.group(0))
    for letter, below, after in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        before += f'{letter}<tspan dy="2.2" style="font-size: 75%">{below}</tspan>'
        # A line break in the file is no text: nothing visible follows.
        before += f'<tspan dy="-2.2">{after}</tspan>' if after.strip() else after
    return before


def _font(themed: bool, found: re.Match[str]) -> str:
    """``font: 9px 'DejaVu Sans'`` to its size (and weight) alone, for the page's face is inherited; or to its mono."""
    weight = "; font-weight: 700" if re.search(r"\b(bold|700)\b", found.group(2)) else ""
    mono = "var(--mono)" if themed else _MONO_FACES
    face = f"font-family: {mono}" if found.group(3) else "font-style: normal"
    size = re.search(r"([\d.]+)px", found.group(2))
    return f"font-size: {size.group(1)}px{weight}; {face}" if size else face
