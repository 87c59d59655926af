"""Drawings as raster pictures, for Word, which shows no SVG everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import Any, Final

from viputils.core.errors import Problem, RenderError

# As sharp as print needs it, at the size that the pictures have on a page.
_PIXELS_PER_INCH: Final = 220.0
_PAGE: Final = """\
#set page(width: auto, height: auto, margin: 0pt, fill: white)
#image(bytes(sys.inputs.drawing), format: "svg")
"""


def rasters(pictures: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return each SVG as PNG on white, under the same name but for the suffix. Same drawing, same bytes.

    Raises
    ------
    RenderError
        If a drawing cannot be read.
    """
    drawings = {name: data for name, data in pictures.items() if PurePosixPath(name).suffix == ".svg"}
    if not drawings:
        return {}
    with ThreadPoolExecutor(len(drawings)) as pool:
        made = pool.map(_raster, drawings, drawings.values())
        return {str(PurePosixPath(name).with_suffix(".png")): data for name, data in zip(drawings, made, strict=True)}


def _raster(name: str, drawing: bytes) -> bytes:
    import typst

    compile_picture: Any = typst.compile
    try:
        picture = compile_picture(
            _PAGE.encode(),
            format="png",
            ppi=_PIXELS_PER_INCH,
            ignore_system_fonts=True,
            sys_inputs={"drawing": drawing.decode("utf-8")},
        )
    except (typst.TypstError, UnicodeDecodeError) as error:
        said = getattr(error, "message", str(error))
        raise RenderError("A picture cannot be made for Word.", [Problem(name, f"{said}.")]) from None
    return bytes(picture)
