"""What the training scripts share, tested: the trainer, schedules, losses, samples, validation."""

from text2lip._lazy import attach


__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "lip_samples": ["collate", "rest_shape", "rest_width", "to_sample", "training_samples"],
        "ema": ["EMA"],
        "losses": [
            "amplitude_loss",
            "duration_l1",
            "masked_l1",
            "motion_l1",
            "point_weights",
            "velocity_l1",
            "width_l1",
        ],
        "lip_networks": ["NetworkOutput", "Text2LipNetworks"],
        "schedules": ["PVARSchedule", "adversarial_share", "learning_rate"],
        "state": ["find_checkpoint", "load_checkpoint", "save_checkpoint", "seed_step"],
        "trainer": ["Trainer", "TrainerConfig", "build_accelerator", "say"],
        "teacher": ["read_texts", "teacher_samples"],
        "validation": ["validate_lips", "warnings_of"],
    },
)
