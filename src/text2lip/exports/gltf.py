"""A talking head as binary glTF 2.0 (.glb): one mesh with ARKit's 52 morph targets, and its animation."""

import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from text2lip.faces.talking_head import ARKIT_SHAPES, TalkingHead, builtin_head
from text2lip.files import replaced_file


if TYPE_CHECKING:
    from text2lip.motion.blendshapes import BlendShapes


NECK = (0.0, -60.0, -80.0)  # mm from the eyes; about where a head turns on its neck
METRES = 0.001
FLOAT, USHORT, UINT = 5126, 5123, 5125  # of glTF's component types
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963
SMALLEST = 1e-5  # metres, and parts of a normal of length 1; what moves less is left out of a target
NORMALS = 0.02


class _Buffer:
    """The binary part of a file, with its views and accessors."""

    def __init__(self):
        self.data, self.views, self.accessors = bytearray(), [], []

    def view(self, raw: bytes, target: int | None = None) -> int:
        self.data += b"\0" * (-len(self.data) % 4)
        view = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(raw)}
        self.views.append(view | ({} if target is None else {"target": target}))
        self.data += raw
        return len(self.views) - 1

    def add(self, array: np.ndarray, kind: str, target: int | None = None, limits: bool = False) -> int:
        """Number of the accessor of float32 or uint16 values, of a `kind` as "VEC3"."""
        component = FLOAT if array.dtype == np.float32 else USHORT
        accessor = {"bufferView": self.view(array.tobytes(), target), "componentType": component, "type": kind}
        return self._accessor(accessor, array, limits)

    def add_sparse(self, array: np.ndarray, smallest: float, limits: bool = False) -> int:
        """The same of float32 (vertices, 3) of which most are 0; what is smaller is left out."""
        there = np.flatnonzero(np.linalg.norm(array, axis=1) > smallest)
        there = there if len(there) else np.arange(1)
        whole = np.zeros_like(array)
        whole[there] = array[there]
        indices = {"bufferView": self.view(there.astype(np.uint16).tobytes()), "componentType": USHORT}
        values = {"bufferView": self.view(whole[there].tobytes())}
        sparse = {"count": len(there), "indices": indices, "values": values}
        return self._accessor({"componentType": FLOAT, "type": "VEC3", "sparse": sparse}, whole, limits)

    def _accessor(self, accessor: dict[str, Any], array: np.ndarray, limits: bool) -> int:
        accessor["count"] = len(array)
        if limits:
            rows = array.reshape(len(array), -1)
            accessor |= {"min": rows.min(0).tolist(), "max": rows.max(0).tolist()}
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Of a smooth surface, float32 (vertices, 3), each the mean of its triangles' by area."""
    corners = vertices[triangles]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    summed = np.stack([np.bincount(triangles.ravel(), np.repeat(a, 3), len(vertices)) for a in across.T], 1)
    return (summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-12)).astype(np.float32)


def save_glb(
    path: str | Path, motion: "BlendShapes", head: TalkingHead | None = None, extras: dict[str, str] | None = None
) -> None:
    """Write a head that makes `motion` as .glb; needs no extension of glTF.

    Node "head" turns about the neck and shifts; its child "face" has a mesh whose 52 morph targets, and whose targets'
    names, are ARKit's. The animation "speech" has a key for each frame, at (f + 1/2) / fps seconds.

    Args:
        path (`str` or `Path`): an existing file is replaced.
        motion ([`BlendShapes`]): of the face.
        head ([`TalkingHead`], *optional*): the built-in one by default.
        extras (`dict[str, str]`, *optional*): what else the file says of itself, such as its origin, see [`mark_of`].

    Raises:
        ValueError: the place can't be written to.
    """
    document, data = _document(motion, head or builtin_head())
    if extras:
        document["asset"]["extras"] = extras
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    data += b"\0" * (-len(data) % 4)
    whole = 12 + 8 + len(text) + 8 + len(data)
    with replaced_file(path) as temporary, open(temporary, "wb") as file:
        file.write(struct.pack("<4sII", b"glTF", 2, whole))
        file.write(struct.pack("<I4s", len(text), b"JSON") + text)
        file.write(struct.pack("<I4s", len(data), b"BIN\0") + data)


def extras_of(path: str | Path) -> dict[str, Any]:
    """What a .glb says of itself beside what glTF asks for; nothing where `path` can't be read as one."""
    try:
        with open(path, "rb") as file:
            length, kind = struct.unpack("<12xI4s", file.read(20))
            return dict(json.loads(file.read(length))["asset"]["extras"]) if kind == b"JSON" else {}
    except (OSError, ValueError, KeyError, TypeError, struct.error):
        return {}


def _document(motion: "BlendShapes", head: TalkingHead) -> tuple[dict[str, Any], bytearray]:
    """The JSON part and the binary part."""
    buffer, neck = _Buffer(), METRES * np.array(NECK)
    mesh = _mesh(buffer, head)
    image = buffer.view(_png(head.palette))
    times = ((np.arange(len(motion)) + 0.5) / motion.fps).astype(np.float32)
    clock = buffer.add(times, "SCALAR", limits=True)
    width = METRES * 2 * np.abs(head.vertices[:, 0]).max()
    shift = (neck + width * np.pad(motion.shift, ((0, 0), (0, 1))) * (1, -1, 0)).astype(np.float32)
    samplers = [
        {"input": clock, "output": buffer.add(motion.weights.astype(np.float32).reshape(-1), "SCALAR")},
        {"input": clock, "output": buffer.add(_quaternions(motion.head), "VEC4")},
        {"input": clock, "output": buffer.add(shift, "VEC3")},
    ]
    paths = ((1, "weights"), (0, "rotation"), (0, "translation"))
    channels = [{"sampler": k, "target": {"node": n, "path": path}} for k, (n, path) in enumerate(paths)]
    document = {
        "asset": {
            "version": "2.0",
            "generator": "text2lip",
            "copyright": "Head: USC ICT-FaceKit, (c) 2020 USC Institute for Creative Technologies, MIT licence",
        },
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [
            {"name": "head", "children": [1], "translation": neck.tolist()},
            {"name": "face", "mesh": 0, "translation": (-neck).tolist()},
        ],
        "meshes": [mesh],
        "materials": [
            {
                "name": "face",
                "pbrMetallicRoughness": {
                    "baseColorTexture": {"index": 0},
                    "metallicFactor": 0.0,
                    "roughnessFactor": 0.6,
                },
            }
        ],
        "textures": [{"source": 0, "sampler": 0}],
        "samplers": [{"magFilter": 9729, "minFilter": 9729, "wrapS": 33071, "wrapT": 33071}],
        "images": [{"bufferView": image, "mimeType": "image/png", "name": "palette"}],
        "animations": [{"name": "speech", "samplers": samplers, "channels": channels}],
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.data) + -len(buffer.data) % 4}],
    }
    return document, buffer.data


def _mesh(buffer: _Buffer, head: TalkingHead) -> dict[str, Any]:
    """The head at rest and its 52 targets."""
    at_rest = normals(head.vertices, head.triangles)
    attributes = {
        "POSITION": buffer.add(np.float32(METRES * head.vertices), "VEC3", ARRAY_BUFFER, limits=True),
        "NORMAL": buffer.add(at_rest, "VEC3", ARRAY_BUFFER),
        "TEXCOORD_0": buffer.add(head.uv, "VEC2", ARRAY_BUFFER),
    }
    targets = []
    for way in head.shapes:
        bent = normals(head.vertices + way, head.triangles) - at_rest
        bent[~way.any(1)] = 0  # beside what moves, shading is left as it is
        position = buffer.add_sparse(np.float32(METRES * way), SMALLEST, limits=True)
        targets.append({"POSITION": position, "NORMAL": buffer.add_sparse(bent, NORMALS)})
    indices = buffer.add(head.triangles.reshape(-1), "SCALAR", ELEMENT_ARRAY_BUFFER)
    primitive = {"attributes": attributes, "indices": indices, "material": 0, "targets": targets}
    names = {"targetNames": list(ARKIT_SHAPES)}
    return {"name": "face", "primitives": [primitive], "weights": [0.0] * len(ARKIT_SHAPES), "extras": names}


def _quaternions(head: np.ndarray) -> np.ndarray:
    """Turns (frames, 4), x y z w, of yaw, pitch, roll (frames, 3) in degrees as [`BlendShapes`] has them."""
    from scipy.spatial.transform import Rotation

    return Rotation.from_euler("YXZ", head * (1, -1, -1), degrees=True).as_quat().astype(np.float32)


def _png(picture: np.ndarray) -> bytes:
    import cv2

    return cv2.imencode(".png", picture[..., ::-1])[1].tobytes()
