"""The IPA letters as data: one row per letter with its class, visemes and articulatory features.

Row order is the order of `visemes.PHONE_INVENTORY`: network weights index it, so rows are only ever appended.

Columns: letter, class, Oculus viseme, Azure id, then the features closure, labiodental, rounding, jaw, spread, tongue
in hundredths. `~` as Oculus viseme: the letter leaves the lips free and takes its neighbour's viseme.
Visemes after the published tables (Oculus: OVRLipSync reference, MPEG-4 FBA; Azure: the speech service's viseme ids),
completed for the rest of the IPA by articulation. Features are phonetic estimates after the letters' place in the IPA
chart: jaw follows vowel height, spread and rounding are exclusive, tongue is how far forward the tongue is (1 between
the teeth; front vowels 0.4, back vowels 0).
"""

LETTER_ROWS = """
_ silence     sil  0    0   0   0   0   0   0
a vowel       aa   2    0   0   0 100  25  20
ɑ vowel       aa   2    0   0   0  95  10   0
æ vowel       aa   1    0   0   0  85  45  25
ɐ vowel       aa   4    0   0   0  75  20  15
ʌ vowel       aa   1    0   0   0  60  15   5
e vowel       E    4    0   0   0  40  70  35
ɛ vowel       E    4    0   0   0  55  45  30
ə vowel       E    1    0   0   0  35  15  15
ɜ vowel       E    5    0   0  10  45  15  15
ɘ vowel       E    1    0   0   0  35  30  20
ɤ vowel       E    1    0   0   0  40  30   0
i vowel       ih   6    0   0   0  15 100  40
ɪ vowel       ih   6    0   0   0  25  60  35
ɨ vowel       ih   6    0   0   0  15  50  20
ɯ vowel       ih   6    0   0   0  15  50   0
ᵻ vowel       ih   6    0   0   0  20  50  25
o vowel       oh   8    0   0  80  45   0   0
ɔ vowel       oh   3    0   0  60  60   0   0
ɒ vowel       oh   3    0   0  45  75   0   0
ø vowel       oh   1    0   0  75  40   0  35
œ vowel       oh   4    0   0  55  55   0  30
ɵ vowel       oh   1    0   0  60  35   0  20
ɞ vowel       oh   1    0   0  45  50   0  15
ɶ vowel       oh   2    0   0  40  90   0  20
u vowel       ou   7    0   0 100  15   0   0
ʊ vowel       ou   4    0   0  70  25   0   0
y vowel       ou   4    0   0  95  15   0  40
ʏ vowel       ou   7    0   0  70  25   0  35
ʉ vowel       ou   7    0   0  85  15   0  20
ᵿ vowel       ou   7    0   0  60  20   0  15
ɚ vowel       RR   1    0   0  30  35   0  25
ɝ vowel       RR   5    0   0  35  40   0  25
ɿ vowel       ih   6    0   0   0   8  50  40
ʅ vowel       ih   6    0   0  10  10  25  30
ʮ vowel       ou   7    0   0  70  10   0  40
ʯ vowel       ou   7    0   0  70  12   0  30
j glide       ih   6    0   0   0  12  80  40
w glide       ou   7    0   0 100  12   0   0
ɥ glide       ou   7    0   0  95  12   0  40
ʍ glide       ou   7    0   0  90  15   0   0
ɰ glide       kk  20    0   0   0  20  30   0
ɹ liquid      RR  13    0   0  35  18   0  30
ɻ liquid      RR  13    0   0  40  20   0  25
ɺ liquid      nn  14    0   0   0  20  15  65
l liquid      nn  14    0   0   0  22  20  75
ɭ liquid      nn  14    0   0  10  25  10  50
ʎ liquid      nn  14    0   0   0  18  50  50
ʟ liquid      kk  14    0   0   0  25  15   5
ɫ liquid      nn  14    0   0  15  25   5  65
ʋ liquid      FF  18    0  70   5  12  10   0
p stop        PP  21  100   0   0   0   0   0
b stop        PP  21  100   0   0   0   0   0
t stop        DD  19    0   0   0  12  20  60
d stop        DD  19    0   0   0  14  20  60
ʈ stop        DD  19    0   0  10  15  10  45
ɖ stop        DD  19    0   0  10  17  10  45
c stop        kk  20    0   0   0  15  45  35
ɟ stop        kk  20    0   0   0  16  45  35
k stop        kk  20    0   0   0  22  15   0
ɡ stop        kk  20    0   0   0  24  15   0
q stop        kk  20    0   0   0  30   8   0
ɢ stop        kk  20    0   0   0  30   8   0
ʔ glottal     ~   19    0   0   0  25  10   0
ʡ glottal     ~   19    0   0   0  35   5   0
m nasal       PP  21  100   0   0   0   0   0
ɱ nasal       FF  18    0 100   0   5   5   0
n nasal       nn  19    0   0   0  15  20  60
ɳ nasal       nn  19    0   0  10  17  10  45
ɲ nasal       nn  19    0   0   0  15  45  45
ŋ nasal       kk  20    0   0   0  22  15   0
ɴ nasal       kk  20    0   0   0  28   8   0
ʙ trill       PP  21   85   0   0   4   0   0
r trill       RR  13    0   0   5  20  15  55
ʀ trill       kk  13    0   0   0  30  10   0
ⱱ trill       FF  18    0  90   0   8   5   0
ɾ trill       DD  19    0   0   0  18  15  60
ɽ trill       RR  13    0   0  15  20   8  45
ɸ fricative   PP  18   70   0   0   5  10   0
β fricative   PP  21   75   0   0   6  10   0
f fricative   FF  18    0 100   0   5  10   0
v fricative   FF  18    0 100   0   6  10   0
θ fricative   TH  19    0   0   0  14  20 100
ð fricative   TH  17    0   0   0  15  20  95
s fricative   SS  15    0   0   0   5  50  40
z fricative   SS  15    0   0   0   6  50  40
ʃ fricative   CH  16    0   0  55   6   0  35
ʒ fricative   CH  16    0   0  55   8   0  35
ʂ fricative   CH  16    0   0  40   8   0  35
ʐ fricative   CH  16    0   0  40  10   0  35
ɕ fricative   CH  16    0   0  10   6  40  40
ʑ fricative   CH  16    0   0  10   8  40  40
ç fricative   kk  12    0   0   0  12  55  35
ʝ fricative   kk   6    0   0   0  12  55  35
x fricative   kk  12    0   0   0  25  15   0
ɣ fricative   kk  20    0   0   0  25  15   0
χ fricative   kk  12    0   0   0  32   8   0
ʁ fricative   kk  13    0   0   0  30   8   0
ħ glottal     ~   12    0   0   0  40   8   0
ʕ glottal     ~   12    0   0   0  40   8   0
h glottal     ~   12    0   0   0  32  12   0
ɦ glottal     ~   12    0   0   0  32  12   0
ɧ fricative   CH  16    0   0  45  12   0  15
ʜ glottal     ~   12    0   0   0  40   5   0
ʢ glottal     ~   12    0   0   0  40   5   0
ɬ fricative   nn  14    0   0   0  15  25  70
ɮ fricative   nn  14    0   0   0  16  25  70
ʘ click       PP  21  100   0  20   0   0   0
ǀ click       DD  19    0   0   0  18  20  80
ǃ click       DD  19    0   0   0  25  15  50
ǂ click       nn  19    0   0   0  20  40  45
ǁ click       nn  14    0   0   0  22  35  60
ɓ stop        PP  21  100   0   0   0   0   0
ɗ stop        DD  19    0   0   0  15  20  60
ᶑ stop        DD  19    0   0  10  17  10  45
ʄ stop        kk  20    0   0   0  16  45  35
ɠ stop        kk  20    0   0   0  24  15   0
ʛ stop        kk  20    0   0   0  30   8   0
"""

# What is written for an IPA letter: ligatures, Greek and old letters, and the ASCII mnemonics that espeak-ng leaks
# where a language file gives no IPA (X-SAMPA capitals).
LETTER_ALIASES = {
    "g": "ɡ", "ʦ": "ts", "ʣ": "dz", "ʧ": "tʃ", "ʤ": "dʒ", "ʨ": "tɕ", "ʥ": "dʑ", "ʪ": "ls", "ʫ": "lz", "ʩ": "fŋ",
    "ε": "ɛ", "ϵ": "ɛ", "є": "ɛ", "α": "ɑ", "ι": "ɪ", "ɩ": "ɪ", "υ": "ʊ", "ɷ": "ʊ", "γ": "ɣ", "δ": "ð", "φ": "ɸ",
    "Φ": "ɸ", "ϕ": "ɸ", "ϑ": "θ", "ϴ": "θ", "ꞵ": "β", "ꭓ": "χ", "λ": "l", "σ": "s", "ω": "o", "ο": "o", "η": "i",
    "ı": "ɯ", "ł": "ɫ", "đ": "d", "þ": "θ", "ß": "s", "ƛ": "tɬ", "ƀ": "β", "ǝ": "ə", "ᴀ": "a", "ᴇ": "ɛ",
    "ɼ": "r", "ʇ": "ǀ", "ʗ": "ǃ", "ʖ": "ǁ", "ȵ": "ɲ", "ȶ": "c", "ȡ": "ɟ", "ȴ": "ʎ", "ʆ": "ʃ", "ʓ": "ʒ", "ɋ": "q",
    "ꞎ": "ɬ", "ƥ": "ɓ", "ƭ": "ɗ", "ƙ": "ɠ", "ƈ": "ʄ", "ʠ": "ʛ",
    "S": "ʃ", "Z": "ʒ", "A": "ɑ", "N": "ŋ", "X": "χ", "K": "ɬ", "T": "θ", "D": "ð", "E": "ɛ", "I": "ɪ", "O": "ɔ",
    "U": "ʊ", "V": "ʌ", "Q": "ɒ", "B": "β", "C": "ç", "G": "ɣ", "H": "ɥ", "J": "ɲ", "L": "ʎ", "M": "ɯ", "P": "ʋ",
    "R": "ʁ", "W": "ʍ", "Y": "ʏ", "F": "ɱ", "?": "ʔ", "@": "ə",
}  # fmt: skip
