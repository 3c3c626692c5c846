"""Check that a video file is what it should be: H.264 that browsers play, frames, and, with --sound, audible AAC.

python utils/check_video.py demo.mp4 --sound
"""

import argparse
import sys

import av
import numpy as np


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path")
    parser.add_argument("--sound", action="store_true", help="the file must have sound that is not silent")
    args = parser.parse_args()
    with av.open(args.path) as container:
        picture = container.streams.video[0]
        context = picture.codec_context
        codec, layout, size = context.name, context.pix_fmt, (context.width, context.height)
        rate = float(picture.average_rate)
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    moving = float(np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(frames, frames[1:])]))
    print(
        f"{args.path}: {codec} {layout} {size[0]}x{size[1]}, {len(frames)} frames, {rate:g} fps, motion {moving:.3f}"
    )
    problems = []
    if codec != "h264" or layout != "yuv420p":
        problems.append("not H.264 in yuv420p")
    if moving == 0:
        problems.append("nothing moves")
    if args.sound:
        problems += check_sound(args.path, len(frames) / rate, 1 / rate)
    for problem in problems:
        print(f"{args.path}: {problem}", file=sys.stderr)
    return 1 if problems else 0


def check_sound(path: str, seconds: float, frame: float) -> list[str]:
    """What is wrong with the sound: missing, silent, or more than a frame (and AAC's padding) off the picture."""
    with av.open(path) as container:
        if not container.streams.audio:
            return ["no sound"]
        rate = container.streams.audio[0].codec_context.sample_rate
        sound = np.concatenate([block.to_ndarray().mean(0) for block in container.decode(audio=0)])
    loudness = float(np.sqrt(np.mean(sound**2)))
    print(f"{path}: sound {len(sound) / rate:.2f} s at {rate} Hz, RMS {loudness:.3f}; picture {seconds:.2f} s")
    problems = []
    if loudness < 1e-3:
        problems.append("the sound is silent")
    if abs(len(sound) / rate - seconds) > frame + 2048 / rate:
        problems.append("sound and picture differ in length")
    return problems


if __name__ == "__main__":
    sys.exit(main())
