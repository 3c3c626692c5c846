"""Lip motion on text far from GRID: do the shapes that everyone knows come, in many languages and at any rate?

    python examples/benchmarks/open_text.py

Shares are of phones of a class, at the frame nearest to the phone's middle, but closed and tucked lips count in any
frame of the phone; the motion is that of the pipeline, seal included, at expressiveness 1. Pauses are the second of
silence before and after each text, without the time in which lips close and, `BREATH` ahead of speech, begin to part.
Units: outer-eye distances.
"""

import argparse

import numpy as np

from text2lip import Text2LipPipeline, synthesize
from text2lip.faces.topology import driven_index
from text2lip.metrics import jerk
from text2lip.motion.lips import animate
from text2lip.motion.seal import BREATH, CLOSE


TEXTS = {
    "en-us": "Papa, who moved my big umbrella? Five very fat foxes thought about the measure of joy. You owe us food!",
    "de": "Schöne Bäume wachsen über den Füßen. Bob möchte fünf Äpfel und viel Pfeffer kaufen, oder nicht?",
    "fr": "Vous buvez beaucoup de bon vin rouge. Une petite fille émue a peur du feu. Où est mon ami Paul?",
    "es": "Mi mamá me mima mucho. ¿Quién va a comprar un buen vino blanco? Hoy hace frío en Bilbao.",
    "it": "Buongiorno a tutti. Una bella mamma prepara le uova fresche per il bambino piccolo.",
    "pt-br": "Bom dia, meu amor. A mulher bonita comprou um vestido azul e uma fruta muito boa.",
    "ru": "Мама мыла раму. Большой белый пароход плывёт по широкой реке. Фёдор вышел на улицу.",
    "cmn": "妈妈买了白色的苹果。我们一起去北京喝茶，你说好不好？",
    "hi": "मेरा भाई बाज़ार से फल और फूल लाता है। आप कैसे हैं?",
    "tr": "Büyük baba, mavi gömleği bana verdi. Üç küçük kuş öttü.",
}
RATES = (0.6, 1.0, 1.6)
PAUSE = 1.0  # seconds
CLASSES = {  # letters, measure, what counts as reached
    "/p b m/ closed (gap < 0.01)": ("pbm", "gap", lambda x: x < 0.01),
    "/f v/ tucked (gap < 0.035)": ("fv", "gap", lambda x: x < 0.035),
    "/a ɑ æ/ open (gap > 0.03)": ("aɑæ", "gap", lambda x: x > 0.03),
    "/u o w y ø ɔ/ narrow (width < -0.01)": ("uowyøɔ", "width", lambda x: x < -0.01),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--pipeline", default="text2lip-grid", help="built-in name, folder (outputs/pvar/best) or Hub id"
    )
    args = parser.parse_args()
    pipe = Text2LipPipeline.from_pretrained(args.pipeline)
    motions = ["articulatory"] + (["networks"] if pipe.lip_decoder is not None else [])
    figures = {motion: measure(pipe, motion) for motion in motions}
    print("| check | " + " | ".join(motions) + " |\n| --- |" + " --- |" * len(motions))
    for check in figures["articulatory"]:
        print(f"| {check} | " + " | ".join(f"{figures[motion][check]:.3g}" for motion in motions) + " |")


def measure(pipe: Text2LipPipeline, motion: str) -> dict[str, float]:
    """Every check over all texts and rates."""
    values = {name: [] for name in CLASSES}
    rest, steps, jerks = [], [], []
    for language, text in TEXTS.items():
        for rate in RATES:
            speech = synthesize(
                f'<speak><break time="{PAUSE}s"/>{text}<break time="{PAUSE}s"/></speak>', "espeak", language, rate
            )
            tokens = pipe.tokenizer(phones=speech.timeline, language=language, return_tensors="pt")
            moved = animate(pipe.lip_model(motion), tokens, int(speech.duration * 25))[0][0].cpu().numpy()
            curves = {"gap": gap(moved), "width": width(moved)}
            for phone in speech.timeline.phones:
                middle = min(int((phone.start + phone.end) / 2 * 25), len(moved) - 1)
                whole = slice(min(int(phone.start * 25), middle), max(middle, int(phone.end * 25 - 0.5)) + 1)
                for name, (letters, curve, reached) in CLASSES.items():
                    if phone.label.strip("ˈˌː")[:1] in tuple(letters):
                        values[name].append(
                            reached(curves[curve][whole if letters in ("pbm", "fv") else middle]).any()
                        )
                if not phone.label and phone.end - phone.start > 0.9 * PAUSE:
                    inside = moved[int((phone.start + CLOSE) * 25) + 1 : int((phone.end - BREATH) * 25)]
                    rest += list(gap(inside))
                    steps += list(np.linalg.norm(np.diff(inside, axis=0), axis=-1).mean(-1))
            jerks.append(jerk(moved))
    return {
        **{f"{name}, of {len(hits)}": float(np.mean(hits)) for name, hits in values.items()},
        "mean gap in long pauses": float(np.mean(rest)),
        "stillness in long pauses": float(np.mean(steps)),
        "jerk": float(np.mean(jerks)),
    }


def gap(moved: np.ndarray) -> np.ndarray:
    """Inner lip gap beyond rest, at least 0: (frames,)."""
    upper, lower = driven_index((13, 14))
    return np.maximum(moved[:, lower, 1] - moved[:, upper, 1], 0)


def width(moved: np.ndarray) -> np.ndarray:
    """Mouth width beyond rest: (frames,)."""
    left, right = driven_index((61, 291))
    return moved[:, right, 0] - moved[:, left, 0]


if __name__ == "__main__":
    main()
