# SPDX-License-Identifier: Apache-2.0
"""How a notebook shows a result: picture with boxes, caption, verdict with reason."""

from __future__ import annotations

import base64
import html as escape_of
import io
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._result import Result

SHOWN = 480  # pixels of the longer side
COLOURS = {"ai": "#b3261e", "real": "#1e6b3a", "unsure": "#7a5900", "none": "#555"}
BOXES = ("#e91e63", "#2196f3", "#ff9800", "#4caf50", "#9c27b0", "#00bcd4", "#cddc39", "#795548")


def _escape(text: str) -> str:
    return escape_of.escape(text, quote=True)


def _picture(source: Any) -> str | None:
    """The picture, small, as a data: address; None: it or Pillow is not there any more."""
    from ._images import Image

    if callable(getattr(source, "read", None)):  # a file was read to its end: a pipe could block
        return None
    try:
        from PIL import Image as pillow

        shown = pillow.fromarray(Image(source).pixels)
    except Exception:  # whatever it is: a result can be shown without
        return None
    shown.thumbnail((SHOWN, SHOWN))
    data = io.BytesIO()
    shown.save(data, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()


def _box(result: Result, index: int, size: float) -> str:
    found = result.objects[index]
    x0, y0, x1, y1 = (float(x) for x in found.box)
    colour = BOXES[index % len(BOXES)]
    label = _escape(f"{found.phrase} {found.score:.0%}")
    return (
        f'<rect x="{x0:.1f}" y="{y0:.1f}" width="{x1 - x0:.1f}" height="{y1 - y0:.1f}" '
        f'fill="none" stroke="{colour}" stroke-width="{size / 5:.1f}"><title>{label}</title></rect>'
        f'<text x="{x0 + size / 4:.1f}" y="{y0 + size:.1f}" font-size="{size:.1f}" '
        f'font-family="sans-serif" fill="#fff" stroke="{colour}" stroke-width="{size / 5:.1f}" '
        f'paint-order="stroke">{label}</text>'
    )


def _drawing(result: Result, source: Any) -> str:
    width, height = result.width, result.height
    if not width or not height:
        return ""
    source = source if source is not None else result.file
    picture = None if isinstance(source, str) and not source else _picture(source)
    scale = min(1.0, SHOWN / max(width, height))
    inside = (
        f'<image href="{picture}" width="{width}" height="{height}"/>'
        if picture
        else f'<rect width="{width}" height="{height}" fill="#8884"/>'
    )
    size = 14 / scale
    boxes = "".join(_box(result, i, size) for i in range(len(result.objects)))
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width * scale:.0f}" '
        f'height="{height * scale:.0f}" style="max-width:100%;height:auto;flex:none" role="img" '
        f'aria-label="{_escape(result.caption)}">{inside}{boxes}</svg>'
    )


def _facts(result: Result) -> str:
    verdict = result.verdict
    sure = "" if math.isnan(result.probability) else f" &middot; P(AI) {result.probability:.0%}"
    rows = [
        f'<div><span style="background:{COLOURS.get(verdict, "#555")};color:#fff;padding:1px 8px;'
        f'border-radius:4px;font-weight:bold">{_escape(verdict)}</span>{sure}</div>',
        f"<div>{_escape(result.reason_line)}</div>",
        f"<div><i>&ldquo;{_escape(result.caption)}&rdquo;</i></div>",
    ]
    for i, found in enumerate(result.objects):
        colour = BOXES[i % len(BOXES)]
        rows.append(
            f'<div><span style="color:{colour}">&#9632;</span> {_escape(found.phrase)} '
            f"{found.score:.0%}</div>"
        )
    rows += [f"<div>The file says: {_escape(claim.text)}</div>" for claim in result.provenance]
    rows += [f"<div>Warning: {_escape(line)}</div>" for line in result.warnings]
    return "".join(rows)


def html(result: Result, source: Any) -> str:
    """A piece of HTML without scripts, for light and dark pages."""
    name = _escape(result.file)
    if name:
        name = f'<div style="overflow-wrap:anywhere"><b>{name}</b></div>'
    if result.error:
        line = _escape(f"{result.error.name}: {result.error.message}")
        return f'<div class="libitem">{name}<div style="color:#b3261e">{line}</div></div>'
    return (
        '<div class="libitem" style="display:flex;flex-wrap:wrap;gap:16px;align-items:flex-start">'
        f"{_drawing(result, source)}"
        f'<div style="display:flex;flex-direction:column;gap:6px;max-width:360px">{name}'
        f"{_facts(result)}</div></div>"
    )
