"""Converts MediaPipe's face detector, face mesh and canonical mesh into this library's files.

The source is the npm package @mediapipe/face_mesh 0.4.1657299874 (Apache-2.0):

    npm pack @mediapipe/face_mesh@0.4.1657299874 && tar xf mediapipe-face_mesh-*.tgz
    python utils/convert_face_mesh.py package/face_mesh_solution_packed_assets.data

writes `src/text2lip/checkpoints/text2lip-grid/face_landmarker/` (config and weights) and
`src/text2lip/assets/face_mesh.npz` (canonical vertices, triangles, texture coordinates, Procrustes weights).
With `--golden`, also `tests/faces/golden_face_mesh.npz`: what the original files give for a crop of a public domain
photograph when run by ai-edge-litert, the numbers that the tests compare with
(`pip install ai-edge-litert scikit-image`). `golden_attention_mesh.py` adds those of the attention mesh.
"""

import argparse
import os
import struct
from pathlib import Path

import numpy as np
import torch
from published_weights import read_published, store_published
from tflite_weights import TFLiteGraph

from text2lip.faces.landmarker import FaceLandmarker
from text2lip.faces.mediapipe_networks import AttentionMesh, BlazeFace, FaceMesh


ROOT = Path(__file__).parents[1]
CHECKPOINT = ROOT / "src/text2lip/checkpoints/text2lip-grid/face_landmarker"
TOPOLOGY = ROOT / "src/text2lip/assets/face_mesh.npz"
GOLDEN = ROOT / "tests/faces/golden_face_mesh.npz"
DATA = (
    "By MediaPipe's authors on data of their own (arXiv 1907.05047, 1907.06724, 2006.10962), none of which was seen "
    "here."
)
LICENCE = "Apache-2.0"
NOTES = "Copyright The MediaPipe Authors; NOTICE.md beside the weights tells their source and what was changed."
COMMAND = "python utils/convert_face_mesh.py package/face_mesh_solution_packed_assets.data"
SHA256 = "dbe5905c582c0462cdaea17e7e6ecea92edaa8cccc515c5e2e7291f2cbb5fb99"
# The packed file holds: attention mesh, mesh, geometry metadata, detector.
ATTENTION, MESH, GEOMETRY, DETECTOR = (0, 2495952), (2495952, 3737848), (3737848, 3757224), (3757224, 3986256)


def fill(module: torch.nn.Module, arrays: list[np.ndarray]) -> None:
    """Copy `arrays` into the parameters of `module`, in order; ValueError where a count or a shape differs."""
    parameters = dict(module.named_parameters())
    if len(parameters) != len(arrays):
        raise ValueError(f"{type(module).__name__} has {len(parameters)} parameters, the file {len(arrays)} arrays")
    with torch.no_grad():
        for (name, parameter), array in zip(parameters.items(), arrays):
            if parameter.ndim == 2:  # a convolution over the whole of what remains
                array = array.reshape(len(array), -1)
            if tuple(parameter.shape) != array.shape:
                raise ValueError(f"{name}: expected {tuple(parameter.shape)}, the file has {array.shape}")
            parameter.copy_(torch.from_numpy(array.astype(np.float32)))


def convert_detector(data: bytes) -> BlazeFace:
    """BlazeFace with the weights of `face_detection_short_range.tflite`."""
    graph = TFLiteGraph(data)
    boxes, scores = (graph.weighted_before(tensor) for tensor in graph.outputs)
    trunk = [operator for operator in boxes if operator in scores]
    heads = [[operator for operator in branch if operator not in trunk] for branch in (scores, boxes)]
    model = BlazeFace()
    fill(model, graph.weights([*trunk, *heads[0], *heads[1]]))
    return model


def convert_mesh(data: bytes) -> FaceMesh:
    """FaceMesh with the weights of `face_landmark.tflite`."""
    graph = TFLiteGraph(data)
    points, presence = (graph.weighted_before(tensor) for tensor in graph.outputs)
    trunk = [operator for operator in points if operator in presence]
    points, presence = ([operator for operator in branch if operator not in trunk] for branch in (points, presence))
    model = FaceMesh()
    fill(model, graph.weights([*trunk, *points[:-1], *presence[:-1], points[-1], presence[-1]]))
    return model


def convert_attention_mesh(data: bytes) -> AttentionMesh:
    """AttentionMesh with the weights of `face_landmark_with_attention.tflite`."""
    graph = TFLiteGraph(data)
    mesh, lips, right_eye, left_eye, right_iris, left_iris, presence = map(graph.weighted_before, graph.outputs)
    model = AttentionMesh()
    branches = [
        (model.lips, [lips]),
        (model.right_eye, [right_eye, right_iris]),
        (model.left_eye, [left_eye, left_iris]),
    ]
    arrays = graph.weights([*mesh, presence[-1]])
    for branch, heads in branches:
        heads = [[operator for operator in head if operator not in mesh] for head in heads]
        shared = heads[0][: sum(1 for _ in branch.trunk.modules() if isinstance(_, torch.nn.Conv2d | torch.nn.PReLU))]
        arrays += graph.weights(
            [*shared, *(operator for head in heads for operator in head if operator not in shared)]
        )
    fill(model, arrays)
    return model


def protobuf_fields(data: bytes) -> list[tuple[int, int | bytes]]:
    """`(field number, value)` pairs of a protobuf message: integers, and bytes for everything with a length."""

    def varint(where: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            byte = data[where]
            value |= (byte & 0x7F) << shift
            where, shift = where + 1, shift + 7
            if byte < 0x80:
                return value, where

    fields, where = [], 0
    while where < len(data):
        key, where = varint(where)
        kind = key & 7
        if kind == 0:
            value, where = varint(where)
        elif kind == 5:
            value, where = data[where : where + 4], where + 4
        elif kind == 2:
            size, where = varint(where)
            value, where = data[where : where + size], where + size
        else:
            raise ValueError(f"protobuf wire type {kind} at byte {where} is not used by the geometry metadata")
        fields.append((key >> 3, value))
    return fields


def numbers(values: list[int | bytes], dtype: str) -> np.ndarray:
    """A repeated numeric field, packed or not."""
    return np.concatenate([np.frombuffer(v, dtype) if isinstance(v, bytes) else np.array([v], dtype) for v in values])


def convert_topology(data: bytes) -> dict[str, np.ndarray]:
    """Arrays of MediaPipe's `GeometryPipelineMetadata`: canonical mesh (centimetres) and Procrustes landmarks."""
    message = protobuf_fields(data)
    (mesh,) = (protobuf_fields(value) for field, value in message if field == 1)
    vertices = numbers([value for field, value in mesh if field == 3], "<f4").reshape(468, 5)
    indices = [value for field, value in mesh if field == 4]
    triangles = np.array(indices, np.int16) if isinstance(indices[0], int) else packed_varints(b"".join(indices))
    basis = [dict(protobuf_fields(value)) for field, value in message if field == 2]
    return {
        "vertices": vertices[:, :3],  # centimetres, x to the face's left, y up, z to the camera
        "uv": vertices[:, 3:],
        "triangles": triangles.reshape(898, 3),
        "procrustes_indices": np.array([int(entry.get(1, 0)) for entry in basis], np.int16),
        "procrustes_weights": np.array([struct.unpack("<f", entry[2])[0] for entry in basis], np.float32),
    }


def packed_varints(data: bytes) -> np.ndarray:
    """Integers of a packed repeated field."""
    values, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            values.append(value)
            value = shift = 0
    return np.array(values, np.int16)


def save_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write `arrays` to `path` in one step, so that no reader meets half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part.npz")
    np.savez_compressed(part, **arrays)
    os.replace(part, path)


def golden(mesh: bytes, detector: bytes) -> dict[str, np.ndarray]:
    """A crop of scikit-image's astronaut photograph (NASA, public domain) and the original networks' answers to it."""
    from ai_edge_litert.interpreter import Interpreter
    from skimage.data import astronaut

    def run(model: bytes, images: np.ndarray) -> list[np.ndarray]:
        interpreter = Interpreter(model_content=model, num_threads=1)
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], images)
        interpreter.invoke()
        return [interpreter.get_tensor(output["index"]) for output in interpreter.get_output_details()]

    crop = astronaut()[0:192, 128:320]  # the face fills the middle two thirds
    middle = crop[32:160, 32:160]
    points, presence = run(mesh, crop[None].astype(np.float32) / 255)
    boxes, logits = run(detector, middle[None].astype(np.float32) / 127.5 - 1)
    best = np.argsort(-logits.reshape(896))[:32]
    return {
        "crop": crop,
        "points": points.reshape(468, 3),
        "presence_logit": presence.reshape(()),
        "logits": logits.reshape(896),  # of crop[32:160, 32:160]
        "best_anchors": best.astype(np.int16),
        "best_boxes": boxes.reshape(896, 8, 2)[best],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packed_assets", type=Path, help="face_mesh_solution_packed_assets.data of the npm package")
    parser.add_argument("--golden", action="store_true", help="also write the numbers that the parity tests read")
    args = parser.parse_args()

    data = read_published(args.packed_assets, SHA256, "version 0.4.1657299874")
    landmarker = FaceLandmarker(refine_landmarks=True)
    landmarker.detector = convert_detector(data[slice(*DETECTOR)])
    landmarker.mesh = convert_mesh(data[slice(*MESH)])
    landmarker.refiner = convert_attention_mesh(data[slice(*ATTENTION)])
    # The published weights are float16: storing them so loses nothing and halves the file.
    store_published(landmarker, CHECKPOINT, data=DATA, licence=LICENCE, command=COMMAND, notes=NOTES)
    save_npz(TOPOLOGY, convert_topology(data[slice(*GEOMETRY)]))
    written = [CHECKPOINT, TOPOLOGY]
    if args.golden:
        save_npz(GOLDEN, golden(data[slice(*MESH)], data[slice(*DETECTOR)]))
        written.append(GOLDEN)
    print("wrote", *(path.relative_to(ROOT) for path in written))


if __name__ == "__main__":
    main()
