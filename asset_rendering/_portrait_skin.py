"""Skin and eyes of the portrait: colour by region, painted lips, pores; iris, sclera and cornea."""

from pathlib import Path

import _head_render as hr
import _portrait_hair as hair
import bpy
import numpy as np
from PIL import Image


SKIN, LIPS, IRIS = hr.srgb(230, 178, 150), hr.srgb(206, 104, 100), hr.srgb(146, 100, 58)


def skin_tint(head, color=SKIN, hair_color=hair.HAIR) -> np.ndarray:
    """Skin colour `(V, 4)`, linear, alpha = share of light that travels below the surface.

    Flushed cheeks, nose, ears and chin, yellower brow, darker lids with a line at their edge, hair colour under hair.
    """
    v, eyes = head.vertices, head.eyes

    def spot(center, radius):
        return np.exp(-(((v - center) / radius) ** 2).sum(1))[:, None]

    red, yellow, dark, liner = 0.0, 0.0, 0.0, 0.0
    for (center, radius), sign in zip(eyes, (1, -1)):
        red = red + 0.6 * spot(center + (sign * 1.3, -0.6, -3.6), (2.3, 3.5, 1.7))
        dark = (
            dark
            + 0.45 * spot(center + (0, -1.0, 0.7), (1.7, 2.0, 0.8))
            + 0.25 * spot(center + (-sign * 0.6, -1, -1.3), (1.0, 2, 0.5))
        )
        red = red + 0.25 * spot(center + (0, -1.0, -0.2), (1.9, 2.0, 1.1))
        rim = np.linalg.norm(v - center, axis=1) / radius
        upper = hr.smoothstep(-0.25, 0.1, v[:, 2] - center[2])
        edge = 1 - np.where(upper > 0.5, hr.smoothstep(1.2, 1.32, rim), hr.smoothstep(1.09, 1.19, rim))
        liner = liner + edge * (v[:, 1] < center[1]) * (0.35 + 0.5 * upper)
    red = red + 0.75 * spot(head.nose + (0, 0.3, 0), (1.5, 1.6, 1.2)) + 0.8 * head.mask("ears")[:, None]
    chin = np.array([0.0, head.corner[1], head.corner[2] - 3.2])
    red = red + 0.3 * spot(chin, (1.6, 3.0, 1.2))
    yellow = 0.6 * spot((0, head.nose[1], head.eye_level + 5), (5, 6, 3)) + 0.3 * spot(chin + (0, 2, -4), (6, 6, 4))
    tint = (
        color * (1 + red * (0.07, -0.26, -0.24)) * (1 + yellow * (0.02, 0.01, -0.10)) * (1 - dark * (0.22, 0.34, 0.28))
    )
    tint = tint + (hr.srgb(58, 34, 28) - tint) * np.minimum(liner, 1)[:, None]
    offset = (v - head.center) / np.linalg.norm(v - head.center, axis=1, keepdims=True)
    azimuth, elevation = np.arctan2(offset[:, 0], -offset[:, 1]), np.arcsin(offset[:, 2])
    under_hair = 0.85 * hr.smoothstep(0.0, 0.16, elevation - hair.hairline(azimuth) + 0.02)[:, None]
    tint = tint + (hair_color - tint) * under_hair * (1 - head.mask("ears")[:, None])
    return np.clip(np.concatenate([tint, 1 - np.minimum(liner, 1)[:, None]], axis=1), 0, 1)


def image_node(tree, path: Path, blur: float = 0.0):
    """An image texture as plain data, optionally blurred by `blur` pixels first."""
    from scipy.ndimage import gaussian_filter

    pixels = np.asarray(Image.open(path).convert("L")).astype(np.float32) / 255.0
    pixels = gaussian_filter(pixels, blur)[::-1] if blur else pixels[::-1]
    image = bpy.data.images.new(path.stem, pixels.shape[1], pixels.shape[0], float_buffer=True, is_data=True)
    image.pixels.foreach_set(np.repeat(pixels[..., None], 4, axis=2).astype(np.float32).ravel())
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    return node


def mix(tree, kind: str, factor, a, b):
    """A colour mix node; `factor`, `a`, `b` are sockets or constants. Returns its output socket."""
    node = tree.nodes.new("ShaderNodeMix")
    node.data_type, node.blend_type = "RGBA", kind
    for index, value in ((0, factor), (6, a), (7, b)):
        if hasattr(value, "links"):
            tree.links.new(value, node.inputs[index])
        else:
            node.inputs[index].default_value = value
    return node.outputs[2]


def ramp(tree, socket, low: float, high: float, first: float, last: float):
    """Map a scalar socket linearly from [low, high] to [first, last], clamped."""
    node = tree.nodes.new("ShaderNodeMapRange")
    for name, value in (("From Min", low), ("From Max", high), ("To Min", first), ("To Max", last)):
        node.inputs[name].default_value = value
    tree.links.new(socket, node.inputs["Value"])
    return node.outputs["Result"]


def noise(tree, scale: float, detail: float = 3.0):
    """Scalar noise in object space, `scale` waves per cm."""
    coordinates, node = tree.nodes.new("ShaderNodeTexCoord"), tree.nodes.new("ShaderNodeTexNoise")
    node.inputs["Scale"].default_value, node.inputs["Detail"].default_value = scale, detail
    tree.links.new(coordinates.outputs["Object"], node.inputs["Vector"])
    return node.outputs["Fac"]


def skin_material(head, lip_color=LIPS):
    """Skin: tint by region, painted lips, mottling, freckles and pores; subsurface light."""
    material = hr.principled(
        "skin",
        Subsurface_Weight=1.0,
        Subsurface_Scale=0.28,
        Specular_IOR_Level=0.5,
        Coat_Weight=0.1,
        Coat_Roughness=0.28,
    )
    tree = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    shader.inputs["Subsurface Radius"].default_value = (1.0, 0.36, 0.2)
    tint = tree.nodes.new("ShaderNodeAttribute")
    tint.attribute_name = "tint"
    tree.links.new(tint.outputs["Alpha"], shader.inputs["Subsurface Weight"])
    lips = image_node(tree, head.data / "mpfb2/textures/mpfb_lips.jpg", blur=2.5).outputs["Color"]
    color = mix(
        tree,
        "MULTIPLY",
        ramp(tree, noise(tree, 0.9, 4.0), 0.35, 0.7, 0.0, 0.35),
        tint.outputs["Color"],
        (0.97, 0.86, 0.82, 1),
    )
    color = mix(
        tree, "MULTIPLY", ramp(tree, noise(tree, 7.0, 2.0), 0.62, 0.74, 0.0, 0.22), color, (0.80, 0.55, 0.42, 1)
    )
    lip = mix(
        tree, "MULTIPLY", ramp(tree, noise(tree, 6.0, 3.0), 0.3, 0.7, 0.0, 0.35), (*lip_color, 1), (0.85, 0.7, 0.7, 1)
    )
    color = mix(tree, "MIX", ramp(tree, lips, 0.1, 0.9, 0.0, 0.88), color, lip)
    tree.links.new(color, shader.inputs["Base Color"])
    tree.links.new(ramp(tree, lips, 0.0, 1.0, 0.42, 0.28), shader.inputs["Roughness"])
    pores, bump = noise(tree, 26.0, 3.0), tree.nodes.new("ShaderNodeBump")
    bump.inputs["Strength"].default_value, bump.inputs["Distance"].default_value = 0.22, 0.02
    tree.links.new(pores, bump.inputs["Height"])
    tree.links.new(bump.outputs["Normal"], shader.inputs["Normal"])
    return material


def add_eye(center: np.ndarray, radius: float, gaze: float, iris_color=IRIS) -> None:
    """An eyeball: tinted ball with a painted iris, and a clear shell with the bulge of the cornea."""
    rows, columns = 160, 160
    polar = np.concatenate([np.linspace(0, 0.62, 110), np.linspace(0.62, np.pi, 51)[1:]])[:, None] * np.ones(columns)
    around = np.ones((rows, 1)) * np.linspace(0, 2 * np.pi, columns, endpoint=False)
    direction = np.stack([np.sin(polar) * np.cos(around), -np.cos(polar), np.sin(polar) * np.sin(around)], axis=-1)
    iris = 0.455  # polar angle of the limbus
    flat = np.cos(iris) / np.maximum(np.cos(polar), 0.2)  # the iris is a flat disc behind the cornea
    ball = np.where((polar < iris)[..., None], direction * (0.985 * flat)[..., None], direction)
    r = polar / iris
    generator = np.random.default_rng(5)
    fibre = np.interp(around, np.linspace(0, 2 * np.pi, 91), np.r_[(f := generator.uniform(0, 1, 90)), f[:1]])
    mid = np.interp(r, [0.40, 0.5, 0.72, 0.9, 1.0], [0.75, 1.0, 0.9, 0.55, 0.2])
    brown = iris_color * (mid * (0.62 + 0.75 * fibre * hr.smoothstep(0.4, 0.7, r)))[..., None]
    light = hr.smoothstep(0.3, -1.0, np.sin(around)) * hr.smoothstep(0.4, 0.65, r) * hr.smoothstep(1.0, 0.8, r)
    brown = brown * (1 + 1.1 * light[..., None])  # light that the cornea gathers on the far side
    pupil = hr.smoothstep(0.36, 0.41, r)[..., None]
    white = (
        hr.srgb(246, 242, 240)
        + (hr.srgb(222, 176, 166) - hr.srgb(246, 242, 240)) * hr.smoothstep(0.75, 1.35, polar)[..., None]
    )
    edge = hr.smoothstep(0.93, 1.06, r)[..., None]
    tint = (brown * pupil + 0.004) * (1 - edge) + white * edge
    faces = hr.grid_faces(rows, columns, wrap=True, flip=True)
    turn = np.array([[np.cos(gaze), -np.sin(gaze), 0], [np.sin(gaze), np.cos(gaze), 0], [0, 0, 1]])
    material = hr.principled(
        "eye", tint=True, Roughness=0.35, Subsurface_Weight=0.15, Subsurface_Scale=0.1, Specular_IOR_Level=0.2
    )
    hr.add_mesh(
        "eye", center + radius * 0.985 * ball.reshape(-1, 3) @ turn.T, faces, material, True, tint.reshape(-1, 3)
    )
    bulge = 1.0 + 0.075 * hr.smoothstep(0.56, 0.0, polar)[..., None]
    shell = bpy.data.materials.new("cornea")
    shell.use_nodes = True
    tree = shell.node_tree
    clear, gloss = tree.nodes.new("ShaderNodeBsdfTransparent"), tree.nodes.new("ShaderNodeBsdfGlossy")
    fresnel, blend = tree.nodes.new("ShaderNodeFresnel"), tree.nodes.new("ShaderNodeMixShader")
    gloss.inputs["Roughness"].default_value = 0.04
    fresnel.inputs["IOR"].default_value = 1.75
    tree.links.new(fresnel.outputs[0], blend.inputs[0])
    tree.links.new(clear.outputs[0], blend.inputs[1])
    tree.links.new(gloss.outputs[0], blend.inputs[2])
    tree.links.new(blend.outputs[0], tree.nodes["Material Output"].inputs["Surface"])
    hr.add_mesh("cornea", center + radius * (bulge * direction).reshape(-1, 3) @ turn.T, faces, shell)
