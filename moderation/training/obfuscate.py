"""Fourteen ways to type a word past a filter, written for the evaluation only: training never imports this file.

Each takes a word and its place in the text and gives the word in disguise, the same each time.
"""

from collections.abc import Callable

TWINS = str.maketrans("aeopcxyij", "аеорсхуіј")
LEET = str.maketrans("aeiost", "4310$7")
WIDE = {letter: chr(ord(letter) + 0xFEE0) for letter in map(chr, range(33, 127))}
BOLD = {chr(97 + place): chr(0x1D41A + place) for place in range(26)}


def middle(word: str) -> int:
    return max(1, len(word) // 2)


def mask_vowel(word: str) -> str:
    place = next((at for at, letter in enumerate(word) if at and letter.lower() in "aeiou"), middle(word))
    return word[:place] + "*" + word[place + 1 :]


def mask_inside(word: str) -> str:
    return word[0] + "*" * (len(word) - 2) + word[-1] if len(word) > 3 else mask_vowel(word)


def swap_letters(word: str) -> str:
    at = middle(word)
    return word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :] if at < len(word) else word


def stretch(word: str) -> str:
    at = middle(word)
    return word[:at] + word[at : at + 1] * 5 + word[at + 1 :]


FORMS: dict[str, Callable[[str], str]] = {
    "look-alike letters": lambda word: word.lower().translate(TWINS),
    "zero-width joiners": "\u200d".join,
    "full width": lambda word: "".join(WIDE.get(letter, letter) for letter in word),
    "bold mathematical": lambda word: "".join(BOLD.get(letter, letter) for letter in word.lower()),
    "combining marks": lambda word: "".join(letter + "\u0336" for letter in word),
    "leetspeak": lambda word: word.lower().translate(LEET),
    "spaced letters": " ".join,
    "dotted letters": ".".join,
    "stretched": lambda word: (
        word[: middle(word)] + word[middle(word) : middle(word) + 1] * 5 + word[middle(word) + 1 :]
    ),
    "masked vowel": mask_vowel,
    "masked inside": mask_inside,
    "swapped letters": swap_letters,
    "deleted letter": lambda word: word[: middle(word)] + word[middle(word) + 1 :],
    "hyphen inside": lambda word: word[: middle(word)] + "-" + word[middle(word) :],
}
