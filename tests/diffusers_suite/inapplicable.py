"""Tests of diffusers' mixins that can't apply to a class of ours, and why. A test that is not here has to pass."""

NO_SAMPLER = "this renderer has no sampler: its arguments are refused (tests/pipelines/test_bad_input.py)"
FLOAT32 = "the landmarker computes in float32, whatever is asked for"
REFERENCE = "refused: diffusers' own processors know of no reference (tests/models/test_echomimic_unet.py)"

INAPPLICABLE = {
    ("TestEchoMimicUNet", "test_fuse_unfuse_qkv_projections"): REFERENCE,
    ("TestEchoMimicUNet", "test_attention_processor_dict"): REFERENCE,
    ("TestEchoMimicReferenceUNet", "test_fuse_unfuse_qkv_projections"): REFERENCE,
    ("TestEchoMimicReferenceUNet", "test_attention_processor_dict"): REFERENCE,
    (
        "TestLandmarkEncoder",
        "test_layerwise_casting_memory",
    ): "all its layers are cast: nothing is left in another type",
    ("TestArticulatoryModel", "test_layerwise_casting_memory"): "its weights are no layers', so no hook casts them",
    ("TestLandmarkEncoder", "test_outputs_equivalence"): "returns a tensor, as its parent in diffusers does",
    ("TestFaceLandmarker", "test_layerwise_casting_memory"): FLOAT32,
    ("TestFaceLandmarker", "test_from_save_pretrained_dtype"): FLOAT32,
    ("TestFaceLandmarker", "test_from_pretrained_dtype_alias"): FLOAT32,
    ("TestBuiltIn", "test_torch_dtype_dict"): FLOAT32,
    ("TestEchoMimic", "test_torch_dtype_dict"): FLOAT32,
    ("TestBuiltIn", "test_cfg"): NO_SAMPLER,
    ("TestBuiltIn", "test_callback_cfg"): NO_SAMPLER,
    ("TestBuiltIn", "test_callback_inputs"): NO_SAMPLER,
    ("TestEchoMimic", "test_callback_inputs"): "asks for latents as output: frames are pasted into the portrait",
}
