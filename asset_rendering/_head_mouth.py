"""Teeth, gums and tongue of the rendered heads.

The crowns are built after the mean widths and heights (mm) of textbooks of dental anatomy.
"""

import _head_render as hr
import numpy as np


# One side, from the middle: width, height, how far the edge stays short of the plane of the central incisors, kind.
UPPER = {
    "width": (8.6, 6.7, 7.6, 7.0, 6.8, 10.2, 9.4),
    "height": (10.4, 8.8, 9.8, 8.4, 7.8, 7.2, 6.6),
    "raise": (0.0, 0.7, 0.1, 0.6, 0.9, 1.4, 1.9),
    "kind": ("incisor", "incisor", "canine", "premolar", "premolar", "molar", "molar"),
}
LOWER = {
    "width": (5.4, 6.0, 6.9, 7.0, 7.1, 10.8, 10.2),
    "height": (8.8, 8.9, 9.8, 8.4, 7.8, 7.2, 6.8),
    "raise": (0.0, 0.0, -0.4, 0.1, 0.2, 0.0, -0.4),
    "kind": UPPER["kind"],
}
# Outer curve of the arch, superellipse of power 2.3: half width, depth, and the front point (z forward, mm).
ARCH = {"upper": (31.0, 52.0), "lower": (28.6, 50.0)}
THICKNESS = {"incisor": (6.6, 1.5), "canine": (7.6, 2.2), "premolar": (8.4, 5.6), "molar": (10.0, 7.4)}  # neck, edge
ENAMEL, NECK, GUM = hr.srgb(238, 231, 216), hr.srgb(226, 207, 175), hr.srgb(205, 118, 112)
TONGUE = hr.srgb(204, 112, 108)
SCALE = 0.1  # mm to cm


def arch_curve(half_width: float, depth: float) -> tuple[np.ndarray, np.ndarray]:
    """Points `(N, 2)` (x right, y backwards, mm) of the right half of an arch and their arc length `(N,)`."""
    angle = np.linspace(0.0, 0.5 * np.pi * 0.98, 2000)
    points = np.stack([half_width * np.sin(angle) ** (2 / 2.3), depth * (1.0 - np.cos(angle) ** (2 / 2.3))], axis=1)
    return points, np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])


def on_arch(curve, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Point `(N, 2)` and outward normal `(N, 2)` at signed arc lengths `(N,)` from the middle."""
    points, lengths = curve
    side, length = np.sign(length) + (length == 0), np.abs(length)

    def at(value):
        return np.stack([np.interp(value, lengths, points[:, axis]) for axis in range(2)], axis=-1)

    tangent = at(length + 0.4) - at(np.maximum(length - 0.4, 0.0))
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    normal[length < 0.2] = (0.0, -1.0)
    flip = np.stack([side, np.ones_like(side)], axis=-1)
    return at(length) * flip, normal * flip


def crown(kind: str, width: float, height: float) -> tuple[np.ndarray, np.ndarray]:
    """One tooth: points `(N, 3)` in mm (u mesial to distal, n outward, h neck to edge) and v `(N,)`, 1 at the edge."""
    rows, columns = 44, 64
    # Rows crowd towards the biting edge, where the crown closes.
    v = np.concatenate([np.linspace(-0.35, 0.86, 28), 0.86 + 0.14 * np.sin(np.linspace(0, 0.5 * np.pi, 17))[1:]])
    angle = np.linspace(0.0, 2 * np.pi, columns, endpoint=False)
    v, angle = v[:, None] * np.ones(columns), angle[None] * np.ones((rows, 1))
    neck, edge = THICKNESS[kind]
    front = kind in ("incisor", "canine")
    contact = 0.78 if front else 0.62
    cervix = {"incisor": 0.74, "canine": 0.72, "premolar": 0.76, "molar": 0.84}[kind]
    half = 0.5 * width * np.interp(v, [-0.35, 0.0, contact, 1.0], [cervix - 0.1, cervix, 1.0, 0.95])
    half = half - 0.05 * width * np.sin(np.pi * np.clip(v / contact, 0, 1)) ** 2 * 0.3
    outer = np.interp(v, [-0.35, 0.0, 0.28, 0.65, 1.0], [-0.7, -0.05, 0.42, 0.2, -0.55 if front else -1.1])
    thickness = np.interp(v, [-0.35, 0.0, 0.35, 1.0], [neck - 1.0, neck, 0.5 * (neck + edge) + 0.3, edge])
    closing = np.clip((v - 0.86) / 0.14, 0.0, 1.0)
    outer = outer - 0.5 * edge * (1 - np.sqrt(np.maximum(1 - closing**2, 0.0)))
    thickness = thickness * np.sqrt(np.maximum(1 - closing**2, 0.0))
    half = half * (1 - (0.07 if front else 0.25) * closing**3)
    power = np.interp(v, [0.0, 1.0], [2.2, 3.0])
    u = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** (2 / power)
    n = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** (2 / power)
    lobes = 0.09 * np.cos(3 * np.pi * u) * hr.smoothstep(0.3, 0.8, v) * (n > 0) * (kind == "incisor")
    drop = {
        "incisor": 0.10 * np.maximum(u, 0) ** 5 + 0.035 * np.maximum(-u, 0) ** 7,
        "canine": 0.15 * np.abs(u + 0.1) ** 1.4,
        "premolar": 0.13 * np.abs(u) ** 1.5 + 0.10 * np.maximum(-n, 0),
        "molar": 0.10 * (0.5 + 0.5 * np.cos(2 * np.pi * u)) + 0.06 * np.abs(u) ** 3 + 0.08 * np.maximum(-n, 0),
    }[kind]
    h = height * v * (1 - drop * np.clip(v, 0, 1) ** 2)
    local = np.stack([u * half, outer + lobes - 0.5 * thickness * (1 - n), h], axis=-1)
    return local.reshape(-1, 3), v.ravel()


def depth_shade(y: np.ndarray) -> np.ndarray:
    """How much of the light reaches a point `y` cm behind the front teeth: 1 in front, 0.15 at the last molars."""
    return (0.12 + 0.88 * np.exp(-((np.maximum(y, 0.0) / 2.3) ** 1.6)))[:, None] ** (1.0, 1.08, 1.12)


def add_teeth(name: str, sizes: dict, sign: float, materials, gum: float = 11.0) -> None:
    """Build one jaw around the origin, the edge of the central incisors; `sign` is -1 for the upper jaw, else +1.

    The gum reaches `gum` mm beyond the necks of the teeth.
    """
    curve = arch_curve(*ARCH[name])
    generator = np.random.default_rng(7 if name == "upper" else 8)
    start, margin = 0.0, []
    for i, (width, height, lift, kind) in enumerate(zip(*(sizes[k] for k in ("width", "height", "raise", "kind")))):
        middle = start + 0.5 * width
        start += width * 0.99
        margin.append((middle, width, height, lift))
        for side in (-1.0, 1.0):
            local, v = crown(kind, width, height)
            turn, lean = np.radians(generator.normal(0.0, 1.2, 2))
            center, normal = (a[0] for a in on_arch(curve, np.array([side * middle])))
            distal = side * np.array([-normal[1], normal[0]])
            u = local[:, 0] + lean * (local[:, 2] - height)
            n = local[:, 1] + turn * local[:, 0]
            z = sign * (local[:, 2] - height * generator.uniform(0.985, 1.015) - lift)
            plane = center + u[:, None] * distal + n[:, None] * normal
            vertices = SCALE * np.concatenate([plane, z[:, None]], axis=1)
            tint = enamel_tint(kind, v) * generator.uniform(0.985, 1.0) * depth_shade(vertices[:, 1])
            faces = hr.grid_faces(44, 64, wrap=True, flip=sign * side > 0)
            hr.add_mesh(f"{name}{i}{side}", vertices, faces, materials[0], True, tint)
    add_gum(name, curve, margin, sign, materials[1], gum)


def enamel_tint(kind: str, v: np.ndarray) -> np.ndarray:
    """Linear RGB `(N, 3)` of a crown: yellower at the neck and on canines, greyer at the translucent edge."""
    tint = NECK + (ENAMEL - NECK) * hr.smoothstep(-0.05, 0.45, v)[:, None]
    if kind == "canine":
        tint = tint * (0.96, 0.94, 0.88)
    edge = hr.smoothstep(0.88, 1.0, v)[:, None] * (0.45 if kind == "incisor" else 0.1)
    return tint * (1 - edge) + hr.srgb(200, 204, 204) * edge


def add_gum(name: str, curve, margin: list, sign: float, material, reach: float):
    """The gum: a wall along the arch that falls behind the crowns at a scalloped margin."""
    length = np.linspace(-margin[-1][0], margin[-1][0], 900)
    depth = np.concatenate([np.linspace(-reach, -1.5, 24), np.linspace(-1.5, 7.0, 60)[1:]])  # towards the edges, mm
    middles = np.array([m[0] for m in margin])
    index = np.abs(np.abs(length)[:, None] - middles).argmin(1)
    width, height = np.array([m[1] for m in margin])[index], np.array([m[2] for m in margin])[index]
    neck = np.interp(np.abs(length), middles, [m[3] + m[2] for m in margin])  # distance of the necks from the plane
    inside = np.clip(np.abs(np.abs(length) - middles[index]) / (0.5 * width), 0.0, 1.0)  # 0 mid tooth, 1 between two
    scallop = 0.40 * height * inside**2.4
    point, normal = on_arch(curve, length)
    over = depth[None] - scallop[:, None]
    root = 0.5 * (0.5 + 0.5 * np.cos(np.pi * inside[:, None])) * hr.smoothstep(0.0, 3.0, -over)
    offset = 0.42 + root - 0.55 * hr.smoothstep(0.0, 2.0, depth)[None] * inside[:, None] ** 2
    offset = offset - 4.5 * hr.smoothstep(-0.7, 1.6, over) ** 1.5 - 0.02 * np.maximum(-depth - 4, 0)[None] ** 2
    plane = point[:, None] + offset[..., None] * normal[:, None]
    z = sign * (depth[None] - neck[:, None])
    vertices = SCALE * np.concatenate([plane, z[..., None]], axis=-1).reshape(-1, 3)
    tint = GUM * depth_shade(vertices[:, 1])
    hr.add_mesh(f"{name}gum", vertices, hr.grid_faces(*offset.shape, flip=sign > 0), material, True, tint)


def add_tongue() -> None:
    """A tongue at rest in an open mouth: broad, slightly raised at the sides, a shallow groove in the middle.

    The helper mesh of the head is the whole floor of the mouth, so this is a superellipsoid of its width, tilted with
    the jaw; the origin is the front of the tip.
    """
    rows, columns = 120, 160
    polar = np.linspace(0, np.pi, rows)[:, None] * np.ones(columns)
    around = np.ones((rows, 1)) * np.linspace(0, 2 * np.pi, columns, endpoint=False)
    x = np.sin(polar) ** 0.62 * np.cos(around)
    z = np.sin(polar) ** 0.62 * np.sign(np.sin(around)) * np.abs(np.sin(around)) ** 0.85
    y = -np.cos(polar)  # -1 is the tip
    back = 0.5 * (1 + y)
    groove = -0.16 * np.exp(-((x / 0.17) ** 2)) * hr.smoothstep(0.03, 0.3, back) * hr.smoothstep(0.0, 0.5, z)
    sides = 0.10 * np.abs(x) ** 2 * hr.smoothstep(0.1, 0.5, back)
    points = np.stack([2.15 * x, 3.2 * (y + 1), 0.62 * z + groove + sides + 1.1 * back**1.3], axis=-1).reshape(-1, 3)
    material = hr.principled(
        "tongue",
        tint=True,
        Roughness=0.45,
        Subsurface_Weight=0.5,
        Subsurface_Scale=0.2,
        Coat_Weight=0.35,
        Coat_Roughness=0.25,
    )
    hr.add_bump(material, scale=11.0, strength=0.55, distance=0.06, detail=6.0)
    pale = np.exp(-((points[:, :1] / 1.1) ** 2)) * hr.smoothstep(0.3, 2.5, points[:, 1:2])
    tint = (TONGUE + 0.35 * (hr.srgb(220, 158, 150) - TONGUE) * pale) * depth_shade(points[:, 1])
    hr.add_mesh("tongue", points, hr.grid_faces(rows, columns, wrap=True), material, True, tint)
