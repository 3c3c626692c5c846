"""Every figure that the project quotes, as pure functions: numpy arrays or torch tensors in, floats out."""

from text2lip._lazy import attach


__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "aggregate": ["Tally", "mean_of", "pooled"],
        "frechet": ["fid", "frechet_distance", "fvd", "image_features", "video_features"],
        "recognition": ["identity"],
        "image": ["flicker", "inner_lip_polygon", "inner_mouth_psnr", "psnr", "ssim"],
        "lipnet": ["LipNet", "lipnet_reading"],
        "lip_metrics": [
            "closure",
            "dtw",
            "duration_error",
            "gap_r",
            "jerk",
            "jerk_ratio",
            "lmd",
            "lmd_centred",
            "stillness",
            "width_r",
        ],
        "mouth_detail": ["inner_lpips", "inner_sharpness", "lip_border", "lip_colour", "lip_edge"],
        "lip_reader": ["LipReader", "LipReaderOutput", "builtin_reader"],
        "perceptual": ["LPIPSModel", "lpips"],
        "semantics": ["bleu", "edit_distance", "slot_accuracy", "wer"],
        "sharpness": ["cpbd"],
        "sync": ["SyncNet", "lse", "sync_scores", "syncnet_faces"],
        "sync_scorer": ["SyncScorer", "sync_of_lips", "sync_of_pictures"],
        "weights": ["MissingWeights", "available_metrics", "weights_folder"],
    },
)
