"""Hair of the portrait: brows, lashes and a chin-length bob, every hair a Cycles curve.

The bob is a flow on polar coordinates about the head's vertical axis: azimuth (0 in front, positive to the viewer's
right) and elevation above the ears. Strands leave the parting sideways, follow the skull (a radius per direction, read
off the mesh) at a growing distance, and hang once they are past the widest point. They are drawn towards a few hundred
guides so that they gather in locks.
"""

import _head_render as hr
import bpy
import numpy as np
from scipy.interpolate import RegularGridInterpolator
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree


def hair_material(name: str, color, roughness: float = 0.3, random: float = 0.3):
    """Cycles' hair shader coloured directly, `color` linear RGB."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree = material.node_tree
    shader = tree.nodes.new("ShaderNodeBsdfHairPrincipled")
    shader.parametrization = "COLOR"
    shader.inputs["Color"].default_value = (*color, 1.0)
    shader.inputs["Roughness"].default_value = roughness
    shader.inputs["Radial Roughness"].default_value = 0.45
    shader.inputs["Random Roughness"].default_value = random
    tree.links.new(shader.outputs[0], tree.nodes["Material Output"].inputs["Surface"])
    return material


def add_strands(name: str, points: np.ndarray, radius, material) -> None:
    """Add curves `points (strands, steps, 3)` with `radius (steps,)` or `(strands, steps)` in cm."""
    strands, steps = points.shape[:2]
    data = bpy.data.hair_curves.new(name)
    data.add_curves([steps] * strands)
    data.position_data.foreach_set("vector", points.astype(np.float32).ravel())
    attribute = data.attributes.get("radius") or data.attributes.new("radius", "FLOAT", "POINT")
    attribute.data.foreach_set("value", np.broadcast_to(radius, (strands, steps)).astype(np.float32).ravel())
    data.materials.append(material)
    bpy.context.scene.collection.objects.link(bpy.data.objects.new(name, data))


def surface(head, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A dense point sampling of the faces that touch `numbers`, to put hairs on the skin."""
    chosen = np.zeros(len(head.vertices), dtype=bool)
    chosen[numbers] = True
    faces = np.array([f for f in head.mesh.faces["body"] if chosen[f].any()])
    corners = head.vertices[faces]  # (faces, 4, 3)
    grid = (np.arange(6) + 0.5) / 6
    s, t = (a.reshape(-1, 1) for a in np.meshgrid(grid, grid))
    weights = np.concatenate([(1 - s) * (1 - t), s * (1 - t), s * t, (1 - s) * t], axis=1)  # (36, 4)
    points = np.einsum("wc,fcd->fwd", weights, corners).reshape(-1, 3)
    normals = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    normals = np.repeat(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9), 36, axis=0)
    return points, normals


BROW = hr.srgb(66, 42, 30)


def add_brows(head, density: float, color=BROW) -> None:
    """Eyebrows: short hairs over an arched band, lying outwards, upwards near the nose."""
    generator = np.random.default_rng(11)
    v = head.vertices[head.body]
    points, normals = surface(head, head.body[(v[:, 1] < head.eyes[0][0][1] + 3) & (v[:, 2] > head.eye_level - 2)])
    front = points[:, 1] < head.eyes[0][0][1] + 1.5
    points, normals = points[front], normals[front]
    tree = cKDTree(points[:, [0, 2]])
    count, steps = int(470 * max(density, 0.6)), 6
    material = hair_material("brow", color, 0.4)
    for (center, _), sign in zip(head.eyes, (1, -1)):
        s = generator.beta(1.5, 1.3, count)  # 0 at the nose, 1 at the temple
        across = generator.uniform(-1, 1, count)
        half = np.interp(s, [0, 0.15, 0.6, 1.0], [0.24, 0.34, 0.26, 0.07])
        x = center[0] + sign * (-1.55 + 4.0 * s)
        z = center[2] + np.interp(s, [0, 0.3, 0.65, 1.0], [1.72, 2.18, 2.42, 1.75]) + across * half
        lean = np.interp(s, [0, 0.2, 0.6, 1.0], [1.25, 0.75, 0.1, -0.45]) - 0.25 * across
        lean = lean + generator.normal(0, 0.12, count)
        length = np.interp(s, [0, 0.2, 1.0], [0.5, 0.72, 0.5]) * generator.uniform(0.75, 1.15, count)
        path = np.linspace(0, 1, steps)[None, :] * length[:, None]
        px = x[:, None] + sign * path * np.cos(lean)[:, None]
        pz = z[:, None] + path * np.sin(lean)[:, None] - 0.25 * path**2
        _, near = tree.query(np.stack([px, pz], axis=-1), k=4)
        base, out = points[near].mean(2), normals[near].mean(2)
        lift = (0.035 + 0.07 * np.linspace(0, 1, steps) ** 0.8)[None, :, None]
        strands = np.stack([px, base[..., 1], pz], axis=-1) + out * lift
        add_strands(f"brow{sign}", strands, 0.011 * np.array([1, 1, 0.9, 0.75, 0.5, 0.15]), material)


def add_lashes(head) -> None:
    """Eyelashes along the lids, spread over MakeHuman's lash strips."""
    generator = np.random.default_rng(12)
    material = hair_material("lash", hr.srgb(28, 20, 18), 0.4)
    for side, sign in zip("lr", (1, -1)):
        center, _ = head.eyes[0 if side == "l" else 1]
        for number, count, reach in ((2, 230, 0.46), (1, 60, 0.2)):
            strip = head.vertices[head.mesh.group_vertices(f"helper-{side}-eyelashes-{number}")]
            root = center + (1.165 if number == 2 else 1.08) * (lid_line(strip, center) - center)
            root = root + (0, -0.05, -0.07 if number == 2 else 0.02)
            root = root[:-2] if side == "l" else root[2:]
            t = np.sort(generator.uniform(0.02, 0.98, count))
            position = np.linspace(0, 1, len(root))
            smooth = np.stack([np.interp(t, position, root[:, a]) for a in range(3)], axis=-1)
            out = smooth - center
            out /= np.linalg.norm(out, axis=1, keepdims=True)
            up = 1.0 if number == 2 else -1.0
            outer = t if side == "l" else 1 - t  # 0 at the nose's side
            sideways = sign * (0.98 * outer - 0.13)
            away = np.stack([sideways, np.full(count, -0.55), np.full(count, 0.25 * up)], axis=1)
            length = reach * generator.uniform(0.75, 1.1, count)[:, None, None]
            step = np.linspace(0, 1, 7)[None, :, None]
            curve = (out + away)[:, None] * step * 0.55 + np.array([0, -0.15, 0.75 * up]) * step**2 * 0.6
            add_strands(
                f"lash{side}{number}",
                smooth[:, None] + length * curve,
                0.015 * np.array([1, 1, 0.9, 0.8, 0.6, 0.4, 0.1]),
                material,
            )


def lid_line(strip: np.ndarray, center: np.ndarray) -> np.ndarray:
    """The edge of a lash strip that touches the lid: points `(24, 3)` ordered by x, smooth."""
    x = strip[:, 0]
    bins = np.linspace(x.min(), x.max(), 10)
    which = np.clip(np.digitize(x, bins) - 1, 0, 8)
    distance = np.linalg.norm(strip - center, axis=1)
    nearest = [np.flatnonzero(which == k)[distance[which == k].argmin()] for k in range(9) if (which == k).any()]
    root = strip[nearest]
    fine = np.linspace(root[0, 0], root[-1, 0], 24)
    return np.stack([fine, *(np.polyval(np.polyfit(root[:, 0], root[:, a], 4), fine) for a in (1, 2))], axis=-1)


def skull_radius(head):
    """Radius of the smoothed skull by azimuth and elevation about `head.center`, ears left out; a callable."""
    ears = head.mask("ears")[head.body] > 0.1
    numbers = head.body[~ears & (head.vertices[head.body, 2] > head.eye_level - 9)]
    points, _ = surface(head, numbers)
    offset = points - head.center
    offset = offset[(np.linalg.norm(offset, axis=1) > 5.5)]
    away = np.abs(offset * (1, 1, 0) - (head.ear - head.center) * (0, 1, 0))
    lobe = (away[:, 0] > abs(head.ear[0]) - 0.6) & (away[:, 1] < 3) & (offset[:, 2] < 3)
    offset = offset[~lobe]
    radius = np.linalg.norm(offset, axis=1)
    tree = cKDTree(offset / radius[:, None])
    azimuth, elevation = np.linspace(-np.pi, np.pi, 181), np.linspace(-1.2, 0.5 * np.pi, 90)
    a, e = np.meshgrid(azimuth, elevation, indexing="ij")
    _, near = tree.query(direction(a, e), k=24)
    values = gaussian_filter(radius[near].mean(-1), (3, 2), mode=("wrap", "nearest"))
    return RegularGridInterpolator((azimuth, elevation), values, bounds_error=False, fill_value=None)


def direction(azimuth, elevation) -> np.ndarray:
    """Unit vectors `(..., 3)`; azimuth 0 looks at the viewer."""
    return np.stack(
        [np.cos(elevation) * np.sin(azimuth), -np.cos(elevation) * np.cos(azimuth), np.sin(elevation)], axis=-1
    )


def hairline(azimuth: np.ndarray) -> np.ndarray:
    """Elevation of the hairline by |azimuth|: brow, temples, in front of the ears, behind them, nape."""
    degrees = np.degrees(np.abs(azimuth))
    return np.interp(
        degrees,
        [0, 25, 42, 58, 70, 85, 100, 115, 140, 180],
        [0.58, 0.58, 0.52, 0.30, 0.0, -0.12, 0.05, -0.35, -0.6, -0.65],
    )


def scalp_roots(generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Azimuth and elevation `(count,)` of roots, even over the sphere inside the hairline."""
    azimuth = generator.uniform(-np.pi, np.pi, count * 6)
    elevation = np.arcsin(generator.uniform(-0.65, 1.0, count * 6))
    inside = elevation > hairline(azimuth) + generator.normal(0, 0.02, count * 6)
    return azimuth[inside][:count], elevation[inside][:count]


HAIR = hr.srgb(76, 44, 29)
LOWEST = -0.10  # elevation below which strands leave the skull and hang
PARTING = 0.16  # azimuth-like offset of the parting to the viewer's right, in radians at the hairline


def strand_paths(head, radius_of, azimuth, elevation, generator, wild: float) -> np.ndarray:
    """Paths `(strands, steps, 3)` of the bob for roots at `azimuth`, `elevation`; `wild` scales the disorder."""
    steps, count = 36, len(azimuth)
    t = np.linspace(0, 1, steps)[None]
    # Side of the parting: roots left of the line x = const fall to the left.
    x = np.cos(elevation) * np.sin(azimuth)
    sign = np.where(x > np.sin(PARTING) * np.cos(0.66), 1.0, -1.0)
    spread = np.abs(azimuth)
    spread = np.where(np.sign(azimuth) == sign, spread, -spread)
    spread = np.where(spread < -0.5 * np.pi, spread + 2 * np.pi, spread)
    final = np.radians(50) + ((np.clip(spread, -0.3, np.pi) + 0.3) / (np.pi + 0.3)) ** 1.4 * np.radians(130)
    final = np.maximum(final, spread) + generator.normal(0, 0.05 * wild, count)
    turning = hr.smoothstep(0.0, 0.62, t) ** 0.9
    path_azimuth = sign[:, None] * (spread[:, None] + (final - spread)[:, None] * turning)
    fall = hr.smoothstep(0.0, 0.60, t) ** np.where(spread < 0.9, 1.25, 1.0)[:, None]
    start = elevation[:, None]
    path_elevation = np.where(start > LOWEST, start + (LOWEST - start) * fall, start)
    # The fringe is swept along the hairline, never across the face.
    degrees = np.degrees(np.abs(path_azimuth))
    shore = np.interp(degrees, [0, 12, 30, 45, 60, 75, 105], [0.66, 0.64, 0.50, 0.26, -0.05, -0.12, -2.0])
    path_elevation = np.logaddexp(14 * path_elevation, 14 * shore) / 14
    wrapped = (path_azimuth + np.pi) % (2 * np.pi) - np.pi
    base = radius_of(np.stack([wrapped, path_elevation], axis=-1))
    layer = generator.uniform(0.25, 1.0, count)[:, None]
    volume = layer * (0.15 + 1.8 * hr.smoothstep(0.0, 0.35, t)) + 0.9 * hr.smoothstep(0.35, 0.8, t) * layer
    points = direction(wrapped, path_elevation) * (base + volume)[..., None]
    # Below the widest point the strand hangs and its end curls in.
    end = -11.5 + 0.35 * generator.normal(0, 1, count) - 1.3 * np.clip(1.6 - np.abs(final), 0, 1)
    hang = hr.smoothstep(0.45, 1.0, t)
    points[..., 2] += hang * (end[:, None] - points[:, -1:, 2])
    inward = 1.0 - 0.20 * hr.smoothstep(0.72, 1.0, t) - 0.02 * hang
    points[..., :2] *= inward[..., None]
    sway = 0.25 * wild * generator.normal(0, 1, (count, 3))[:, None] * (t**1.5)[..., None]
    return points + sway + head.center


def add_scalp_hair(head, density: float, color=HAIR) -> None:
    """The bob: locks round guides, and a few loose hairs."""
    generator = np.random.default_rng(3)
    radius_of = skull_radius(head)
    guide_roots = scalp_roots(generator, 420)
    guides = strand_paths(head, radius_of, *guide_roots, generator, 1.2)
    count = int(26000 * density)
    roots = scalp_roots(generator, count)
    strands = strand_paths(head, radius_of, *roots, generator, 0.7)
    _, nearest = cKDTree(direction(*guide_roots)).query(direction(*roots))
    t = np.linspace(0, 1, strands.shape[1])[None, :, None]
    pull = (0.75 * hr.smoothstep(0.1, 0.9, t)) * generator.uniform(0.5, 1.0, (count, 1, 1))
    side_ok = np.sign(guides[nearest][:, -1, 0]) == np.sign(strands[:, -1, 0])
    strands = strands + (guides[nearest] - strands) * pull * side_ok[:, None, None]
    taper = np.interp(np.linspace(0, 1, strands.shape[1]), [0, 0.05, 0.7, 1.0], [0.8, 1.0, 0.9, 0.15])
    thickness = 0.0095 / np.sqrt(min(density, 1.0))
    add_strands("hair", strands, thickness * taper, hair_material("hair", color, 0.22))
