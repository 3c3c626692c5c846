"""A clip without sound for pages that take pictures: GIF and animated WebP."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from text2lip.exports.clip import Clip, SaveOptions
from text2lip.files import replaced_file


FASTEST_GIF = 50  # frames per second: browsers show shorter frames more slowly
WEBP_QUALITY = 85  # of 100


def write_animation(path: str | Path, clip: Clip, options: SaveOptions) -> int:
    """Write the frames of `clip` as a GIF or an animated WebP that repeats; returns how many.

    A GIF has 255 colours a frame, chosen for each, and pixels that are clear or not; a WebP keeps alpha.

    Raises:
        ValueError: no frames, more than 50 a second for a GIF, or a place that can't be written to.
    """
    import av

    gif = Path(path).suffix.lower() == ".gif"
    if gif and clip.fps > FASTEST_GIF:
        raise ValueError(f"fps: {clip.fps:g}; browsers show a GIF with at most {FASTEST_GIF}: make it slower.")
    rate, count = Fraction(clip.fps).limit_denominator(1001), 0
    with replaced_file(path) as temporary, av.open(str(temporary), "w", options={"loop": "0"}) as container:
        stream = None
        pictures = (av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), **_format(frame)) for frame in clip.frames)
        for picture in _with_palettes(pictures, rate) if gif else pictures:
            if stream is None:
                stream = _stream(container, picture, rate, gif)
            picture.pts, picture.time_base = count, 1 / rate
            container.mux(stream.encode(picture))
            count += 1
        if stream is None:
            raise ValueError("frames: got none; an animation wants at least one.")
        container.mux(stream.encode(None))
    return count


def _format(frame: np.ndarray) -> dict[str, str]:
    return {"format": "rgba" if frame.shape[2] == 4 else "rgb24"}


def _stream(container: Any, picture: Any, rate: Fraction, gif: bool) -> Any:
    options = {} if gif else {"quality": str(WEBP_QUALITY), "lossless": "0", "compression_level": "3"}
    stream = container.add_stream("gif" if gif else "libwebp_anim", rate=rate, options=options)
    stream.width, stream.height = picture.width, picture.height
    stream.pix_fmt = "pal8" if gif else "yuva420p" if picture.format.name == "rgba" else "yuv420p"
    return stream


def _with_palettes(pictures: Iterable[Any], rate: Fraction) -> Iterator[Any]:
    """Every picture in its own colours, one in and one out."""
    import av

    graph = None
    for number, picture in enumerate(pictures):
        if graph is None:
            graph = av.filter.Graph()
            source = graph.add_buffer(
                width=picture.width, height=picture.height, format=picture.format, time_base=1 / rate
            )
            split, sink = graph.add("split"), graph.add("buffersink")
            palettes = graph.add("palettegen", "stats_mode=single:reserve_transparent=1")
            colours = graph.add("paletteuse", "new=1:dither=bayer:bayer_scale=4")
            source.link_to(split)
            split.link_to(colours, 0, 0)
            split.link_to(palettes, 1, 0)
            palettes.link_to(colours, 0, 1)
            colours.link_to(sink)
            graph.configure()
        picture.pts, picture.time_base = number, 1 / rate
        source.push(picture)
        yield from _ready(sink)
    if graph is not None:
        source.push(None)
        yield from _ready(sink)


def _ready(sink: Any) -> Iterator[Any]:
    """What a filter gives by now."""
    import av

    while True:
        try:
            yield sink.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
