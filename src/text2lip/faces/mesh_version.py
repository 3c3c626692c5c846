"""Which landmarker found landmarks that are kept: points of two face meshes don't fit each other."""

from functools import cache
from hashlib import blake2b

from text2lip.faces.landmarker import FaceLandmarker


def mesh_version(landmarker: FaceLandmarker) -> str:
    """The kind of mesh and a hash of the weights, such as "attention-1b2c3d4e5f60"; another one, other landmarks."""
    digest = blake2b(str(landmarker.config.region_scale).encode(), digest_size=6)
    for name, value in sorted(landmarker.state_dict().items()):
        digest.update(name.encode() + value.float().cpu().numpy().tobytes())
    return f"{'attention' if landmarker.refiner else 'face'}-{digest.hexdigest()}"


@cache
def builtin_mesh_version() -> str:
    """That of the landmarker that comes with this package."""
    return mesh_version(FaceLandmarker.from_builtin())
