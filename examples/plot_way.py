"""Draw the way of a sentence through the pipeline, with the shapes and rates of one real call, as a picture in SVG.

python examples/plot_way.py --output docs/source/en/imgs/way.svg
"""

import argparse
from html import escape
from pathlib import Path

from text2lip import Text2LipPipeline
from text2lip.faces.builtin import builtin_portrait
from text2lip.training.settings import errors_in_one_line


WIDTH, ROW, BOX = 900, 84, 50
MIDDLE = (330, 240)  # left edge and width of the boxes in the middle
SOUND, PORTRAIT = (20, 210), (680, 205)
STYLE = """text { font-family: system-ui, "Segoe UI", "DejaVu Sans", Arial, sans-serif; fill: #1f2328; }
.name { font-size: 14px; font-weight: 600; text-anchor: middle; } .what { font-size: 12px; text-anchor: middle; }
.shape { font-size: 12px; fill: #57606a; } path { stroke: #57606a; stroke-width: 1.5; fill: none; }
rect { stroke-width: 1.5; rx: 8; }"""
FILLS = {"network": "#ddf4ff", "rule": "#f6f8fa", "data": "#fff8c5"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipeline", default="text2lip-grid", help="built-in name, folder or Hub id")
    parser.add_argument("--text", default="Bob met my uncle.")
    parser.add_argument("--image", default=str(builtin_portrait()))
    parser.add_argument("--output", default="way.svg")
    args = parser.parse_args()
    Path(args.output).write_text(drawing(args.text, *traced(args)), encoding="utf-8")
    print(f"Wrote {args.output}.")


def traced(args) -> tuple[dict, dict]:
    """Shapes of what each network gives in one call, and its parameters in millions."""
    pipe = Text2LipPipeline.from_pretrained(args.pipeline)
    shapes, sizes = {}, {}
    names = {"viseme_encoder": "last_hidden_state", "pseudo_audio": "audio_features", "lip_decoder": "motion"}
    for name in (*names, "unet", "face_landmarker"):
        sizes[name] = sum(weight.numel() for weight in getattr(pipe, name).parameters()) / 1e6
    for name, output in names.items():
        getattr(pipe, name).register_forward_hook(
            lambda _, given, made, name=name, output=output: shapes.update({name: tuple(made[output].shape[1:])})
        )
    stream = pipe.stream(args.text, args.image)
    frame = next(iter(stream))
    shapes |= {
        "phones": len(stream.phones),
        "sound": (len(stream.audio), stream.sampling_rate),
        "landmarks": stream.landmarks.shape[1:],
        "plan": stream.motion_plan.values.shape[1:],
        "frame": frame.shape,
        "frames": (len(stream), stream.fps),
    }
    return shapes, sizes


def drawing(text: str, shapes: dict, sizes: dict) -> str:
    """The picture; T stands for the tokens and F for the frames of a clip."""
    tokens, wide = shapes["viseme_encoder"]
    frames, fps = shapes["frames"]
    rate = f"{fps:g} a second"
    height, width = shapes["frame"][:2]
    steps = [  # kind, name, what it does; what goes on to the next
        ("data", f"“{text}”", "text, SSML, subtitles, a script", ""),
        ("rule", "voice, alignment or times", "phones with start and end", f"{shapes['phones']} phones, seconds"),
        ("rule", "VisemeTokenizer", "visemes, phones, features", f"T = {tokens} tokens: ids, (T, 6) features, times"),
        ("network", f"VisemeEncoder, {sizes['viseme_encoder']:.1f} M", "each viseme among the others", f"(T, {wide})"),
        ("network", f"PseudoAudio, {sizes['pseudo_audio']:.1f} M", "or the real sound's features",
         f"(F, {shapes['pseudo_audio'][1]}), {rate}"),
        ("network", f"LipDecoder, {sizes['lip_decoder']:.1f} M", "how lips and jaw move from rest",
         f"(F, {shapes['lip_decoder'][1]}, 2), {rate}, in a frame of the head"),
        ("rule", "rest, shape, seal, retarget", "put on this face; p b m shut",
         f"(F, {', '.join(map(str, shapes['landmarks']))}) landmarks, {rate}"),
        ("network", f"LearnedRenderer, {sizes['unet']:.1f} M", "a warp, the mouth's inside, the head",
         f"(F, {height}, {width}, 3) uint8, {rate}"),
        ("data", "video with sound", "H.264 and AAC", ""),
    ]  # fmt: skip
    parts = []
    for number, (kind, name, what, shape) in enumerate(steps):
        parts += box(MIDDLE, number, kind, name, what)
        if number + 1 < len(steps):
            parts += arrow(MIDDLE[0] + MIDDLE[1] / 2, number, shape)
    samples, sampling_rate = shapes["sound"]
    parts += box(SOUND, 4, "data", "the sound", f"({samples},) at {sampling_rate:,} a second")
    parts += box(SOUND, 6, "rule", "MotionPlan: head, eyes", f"(F, {shapes['plan'][0]}) by text and sound")
    parts += box(PORTRAIT, 4, "data", "portrait or film", f"({height}, {width}, 3)")
    parts += box(PORTRAIT, 5, "network", f"FaceLandmarker, {sizes['face_landmarker']:.1f} M", "(478, 3)")
    left, right = SOUND[0] + SOUND[1] / 2, PORTRAIT[0] + PORTRAIT[1] / 2
    edge, middle_y = MIDDLE[0], lambda row: row * ROW + BOX / 2 + 10
    parts += [
        line(f"M {edge} {middle_y(1)} H {left} V {middle_y(4) - BOX / 2}"),
        line(f"M {left} {middle_y(4) + BOX / 2} V {middle_y(6) - BOX / 2}"),
        line(f"M {SOUND[0] + SOUND[1]} {middle_y(6)} H {edge - 20} V {middle_y(7)} H {edge}"),
        line(f"M {SOUND[0]} {middle_y(4)} h -10 V {middle_y(8)} H {edge}"),
        line(f"M {right} {middle_y(4) + BOX / 2} V {middle_y(5) - BOX / 2}"),
        line(f"M {right} {middle_y(5) + BOX / 2} V {middle_y(6)} H {edge + MIDDLE[1]}"),
        line(f"M {PORTRAIT[0] + PORTRAIT[1]} {middle_y(4)} h 12 V {middle_y(7)} H {edge + MIDDLE[1]}"),
    ]
    bottom = len(steps) * ROW
    notes = (
        f"T tokens and F frames; here T = {tokens}, F = {frames}. Blue: networks (millions of weights); grey: rules."
    )
    parts.append(f'<text class="shape" x="20" y="{bottom + 4}">{notes}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 18}" role="img">'
    arrowhead = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M 0 0 L 8 4 L 0 8 z" style="fill: #57606a; stroke: none"/></marker></defs>'
    )
    ground = f'<rect width="{WIDTH}" height="{bottom + 18}" style="fill: #ffffff; stroke: none; rx: 0"/>'
    title = f"<title>The way of a sentence through the pipeline</title><style>{STYLE}</style>"
    return "\n".join([head, title, arrowhead, ground, *parts, "</svg>\n"])


def box(column: tuple[int, int], row: int, kind: str, name: str, what: str) -> list[str]:
    """A box with a name and what it does."""
    left, width = column
    top, middle = row * ROW + 10, left + width / 2
    return [
        f'<rect x="{left}" y="{top}" width="{width}" height="{BOX}" style="fill: {FILLS[kind]}; stroke: #8c959f"/>',
        f'<text class="name" x="{middle}" y="{top + 21}">{escape(name)}</text>',
        f'<text class="what" x="{middle}" y="{top + 39}">{escape(what)}</text>',
    ]


def arrow(middle: float, row: int, shape: str) -> list[str]:
    """The arrow to the next row, and what goes along it."""
    top = row * ROW + 10 + BOX
    said = f'<text class="shape" x="{middle + 10}" y="{top + 21}">{escape(shape)}</text>'
    return [line(f"M {middle} {top} V {top + ROW - BOX}"), said]


def line(path: str) -> str:
    """A line with a tip."""
    return f'<path d="{path}" marker-end="url(#tip)"/>'


if __name__ == "__main__":
    with errors_in_one_line():
        main()
