"""What of the mark that a video is synthetic is still found after it was changed as people and platforms do.

    python examples/benchmarks/mark_survival.py --pipeline text2lip-grid

Makes one marked video of the built-in portrait, changes it by PyAV (re-encoded, remuxed, resampled, cropped, …), and
looks with [`inspect_file`]. The watermark in the sound is looked for where its weights are, see
`utils/convert_watermark.py`; else its column is empty.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from text2lip import Text2LipPipeline
from text2lip.exports import inspect_file
from text2lip.faces.builtin import builtin_portrait


TEXT = "Good morning. Nobody has ever recorded this sentence, and nobody ever will."


def copied_streams(source: Path, target: Path, keep: bool = True) -> None:
    """The same packets in another container; without its metadata unless they are kept."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        streams = {stream: new.add_stream_from_template(stream) for stream in old.streams if stream.type != "data"}
        if keep:
            new.metadata.update(old.metadata)
        for packet in old.demux(*streams):
            if packet.dts is not None:
                packet.stream = streams[packet.stream]
                new.mux(packet)


def encoded(
    source: Path,
    target: Path,
    crf: int = 23,
    keep: bool = True,
    picture: Callable[[np.ndarray], np.ndarray] = lambda frame: frame,
    sound: tuple[str, int, int] = ("aac", 24_000, 128_000),
    seconds: tuple[float, float] = (0.0, 1e9),
) -> None:
    """Decoded and encoded again as H.264, with the sound by (codec, rate in Hz, bits a second); FFmpeg's program keeps
    metadata, most platforms don't."""
    codec, rate, bits = sound
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        if keep:
            new.metadata.update(old.metadata)
        shown = old.streams.video[0]
        video, audio = None, new.add_stream(codec, rate=rate, layout="mono")
        audio.bit_rate = bits
        resampler = av.AudioResampler(format=audio.format, layout="mono", rate=rate)
        for frame in between(old.decode(shown), *seconds):
            pixels = np.ascontiguousarray(picture(frame.to_ndarray(format="rgb24")))
            if video is None:
                video = new.add_stream("libx264", rate=shown.average_rate, options={"crf": str(crf)})
                video.height, video.width = pixels.shape[:2]
                video.pix_fmt, count = "yuv420p", 0
            packed = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            packed.pts, packed.time_base, count = count, 1 / Fraction(shown.average_rate), count + 1
            new.mux(video.encode(packed))
        new.mux(video.encode(None))
        old.seek(0)
        for frame in between(old.decode(old.streams.audio[0]), *seconds):
            frame.pts = None
            for piece in resampler.resample(frame):
                new.mux(audio.encode(piece))
        new.mux(audio.encode(None))


def between(frames: Iterator, start: float, stop: float) -> Iterator:
    """Frames of those seconds."""
    for frame in frames:
        if start <= frame.time < stop:
            yield frame


def halved(frame: np.ndarray) -> np.ndarray:
    return frame[::2, ::2]


def cropped(frame: np.ndarray) -> np.ndarray:
    height, width = (side // 10 * 2 for side in frame.shape[:2])
    return frame[height // 2 : -height // 2, width // 2 : -width // 2][: height * 4 // 2 * 2, : width * 4 // 2 * 2]


CHANGES: dict[str, Callable[[Path, Path], None]] = {
    "copied": lambda source, target: target.write_bytes(source.read_bytes()),
    "remuxed to mp4, metadata kept": copied_streams,
    "remuxed to mp4, metadata dropped": lambda s, t: copied_streams(s, t, keep=False),
    "H.264 crf 18, metadata kept": lambda s, t: encoded(s, t, 18),
    "H.264 crf 28, metadata kept": lambda s, t: encoded(s, t, 28),
    "H.264 crf 40, metadata dropped": lambda s, t: encoded(s, t, 40, keep=False),
    "half the size, metadata dropped": lambda s, t: encoded(s, t, keep=False, picture=halved),
    "cropped by a fifth, metadata dropped": lambda s, t: encoded(s, t, keep=False, picture=cropped),
    "its second second alone": lambda s, t: encoded(s, t, keep=False, seconds=(1.0, 2.0)),
    "AAC 64 kbit/s": lambda s, t: encoded(s, t, keep=False, sound=("aac", 24_000, 64_000)),
    "AAC 24 kbit/s": lambda s, t: encoded(s, t, keep=False, sound=("aac", 24_000, 24_000)),
    "sound at 16 kHz": lambda s, t: encoded(s, t, keep=False, sound=("aac", 16_000, 64_000)),
    "sound at 8 kHz": lambda s, t: encoded(s, t, keep=False, sound=("aac", 8_000, 32_000)),
}


def row_of(path: Path) -> dict[str, str]:
    """What is found in a file."""
    found = inspect_file(path)
    state = "-" if found.manifest is None else "changed" if found.manifest["changed"] else found.manifest["state"]
    return {
        "C2PA": state,
        "XMP": "yes" if "xmp" in found.metadata else "-",
        "comment": "yes" if "comment" in found.metadata else "-",
        "sound": "" if found.sound_mark is None else f"{found.sound_mark:.2f}",
    }


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pipeline", default="text2lip-grid", help="built-in name, folder or Hub id")
    parser.add_argument("--limit", type=int, default=len(CHANGES), help="how many of the changes")
    args = parser.parse_args(argv)
    pipe = Text2LipPipeline.from_pretrained(args.pipeline)
    pipe.set_progress_bar_config(disable=True)
    with tempfile.TemporaryDirectory() as folder:
        marked, changed = Path(folder) / "marked.mp4", Path(folder) / "changed.mp4"
        pipe.stream(TEXT, builtin_portrait(), life=0, renderer="geometric").save(marked, size=256)
        rows = []
        for name, change in list(CHANGES.items())[: args.limit]:
            change(marked, changed)
            rows.append({"change": name, **row_of(changed)})
        plain = Path(folder) / "plain.mp4"
        pipe.stream(TEXT, builtin_portrait(), life=0, renderer="geometric").save(plain, size=256, mark=False)
        rows.append({"change": "(never marked)", **row_of(plain)})
    print("| " + " | ".join(rows[0]) + " |")
    print("| --- " * len(rows[0]) + "|")
    for row in rows:
        print("| " + " | ".join(row.values()) + " |")


if __name__ == "__main__":
    main()
