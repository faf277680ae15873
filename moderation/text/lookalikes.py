"""Letters that pass for Latin ones. Data only: no behaviour, imports nothing.

`LOOKALIKES` is derived from the Unicode Security Mechanisms data (confusables.txt, UTS #39), (c) Unicode, Inc., used
under the Unicode License v3 (https://www.unicode.org/license.txt). Changes made: only single code points whose
prototype is one basic Latin letter are kept; what NFKC already turns into that letter is left out, and so are
symbols; prototypes are in lower case; where the prototype was `l` but the letter is some script's I, it says `i`;
small capitals, barred letters and the lower case of Cyrillic and Greek capitals are added.

`LOOSE` is our own: letters that pass for a Latin one only at a glance, and only beside Latin letters.
"""

from __future__ import annotations

LOOKALIKES: dict[str, str] = {
    lookalike: letter
    for letter, lookalikes in {
        "a": "ɑΑαАаᎪᗅᴀⱥ\ua4ee\U000102a0\U00016f40",
        "b": "ƄʙΒβВЬвᏏᏴᑲᖯᗷ\ua4d0\ua7b4\U00010282\U000102a1\U00010301",
        "c": "ϲϹСсᏟᴄⲤⲥ\ua4da\uabaf\U000102a2\U00010302\U00010415\U0001043d\U0001051c\U000118e9",
        "d": "đԁᎠᏧᑯᗞᗪᴅ\ua4d2\ua4d3",
        "e": "ǝΕεЕеҽᎬᴇⴹ\ua4f0\uab32\U00010286\U000118a6\U000118ae",
        "f": "Ϝքᖴẝ\ua4dd\ua730\ua798\ua799\uab35\U00010287\U000102a5\U00010525\U000118a2\U000118c2",
        "g": "ƍɡɢԌցᏀᏳᶃ\ua4d6",
        "h": "ħʜΗНнһհᎻᏂᕼⲎ\ua4e7\U000102cf",
        "i": "ıƖɩɪͺΙιІіӀӏᎥᛁ\ua4f2\ua647\uab75\U00010309\U000118c3",
        "j": "ͿϳЈјᎫᒍᴊ\ua4d9\ua7b2",
        "k": "ΚκКкᏦᛕᴋⲔ\ua4d7\U00010518",
        "l": "łǀʟ۱ᏞᒪⲒⳐⵏ\ua4e1\U0001028a\U0001041b\U00010526\U000118a3\U000118b2\U00016f16\U00016f28",
        "m": "ΜϺМмᎷᗰᛖᴍⲘ\ua4df\U000102b0\U00010311",
        "n": "ŋɴΝηոռⲚ\ua4e0\U00010513",
        "o": (
            "øɵΟοσОоՕօ۵०০੦૦ଠ୦௦౦೦ഠ൦๐໐ဝ၀ჿዐᴏᴑⲞⲟⵔ\ua4f3\uab3d\U00010292\U000102ab\U00010404\U0001042c"
            "\U000104c2\U000104ea\U00010516\U000114d0\U000118b5\U000118c8\U000118d7\U000118e0"
        ),
        "p": "þΡρРрᏢᑭᴘⲢⲣ\ua4d1\U00010295",
        "q": "ԛգզⵕ",
        "r": "ƦʀгᎡᏒᖇᴦⲅ\ua4e3\uab47\uab48\uab81\U000104b4\U00016f35",
        "s": "ƽЅѕՏᏕᏚ\ua4e2\ua731\uabaa\U00010296\U00010420\U00010448\U000118c1\U00016f3a",
        "t": "ŧΤτТтᎢᴛⲦ\ua4d4\U00010297\U000102b1\U00010315\U000118bc\U00016f0a",
        "u": "ʋμυՍսሀᑌᴜ\ua4f4\ua79f\uab4e\uab52\U000104ce\U000104f6\U000118b8\U000118d8\U00016f42",
        "v": "νѴѵ۷Ꮩᐯᴠⴸ\ua4e6\ua6df\uaba9\U0001051d\U00011706\U000118a0\U000118c0\U00016f08",
        "w": "ɯωѡԜԝաᎳᏔᴡ\ua4ea\uab83\U0001170a\U0001170e\U0001170f\U000118e6",
        "x": "ΧχХхᕁᕽᚷⲬⵝ\ua4eb\ua7b3\U00010290\U000102b4\U00010317\U00010527",
        "y": "ɣʏΥγУуҮүყᎩᎽᶌỿⲨ\ua4ec\uab5a\U000102b2\U000118a4\U000118dc\U00016f43",
        "z": "ΖᏃᴢ\ua4dc\uab93\U000118a9\U000118c4\U000118e5",
    }.items()
    for lookalike in lookalikes
}

LOOSE: dict[str, str] = {
    "и": "u",
    "й": "u",
    "п": "n",
    "л": "n",
    "ц": "u",
    "ч": "y",
    "я": "r",
    "ш": "w",
    "щ": "w",
    "з": "e",
    "ф": "o",
    "ь": "b",
    "ъ": "b",
    "π": "n",
    "λ": "a",
    "δ": "d",
    "ξ": "e",
    "ɐ": "a",
    "ɔ": "c",
    "ɟ": "f",
    "ƃ": "g",
    "ɥ": "h",
    "ᴉ": "i",
    "ɾ": "j",
    "ʞ": "k",
    "ɹ": "r",
    "ʇ": "t",
    "ʌ": "v",
    "ʍ": "w",
    "ʎ": "y",
}

# What a Latin letter in a Cyrillic word stands for.
CYRILLIC_TWINS: dict[str, str] = dict(zip("abcdefghiklmnoprstuvxyz", "авсдефгнікімпоргстиухуз", strict=True))
