"""How a text is cut for a Detoxify model: the same for the library and for what was converted from it."""

LONGEST = 482
ENDS = 2
OVERLAP = 64


def window(length: int) -> int:
    """How many tokens of the text a window holds, for a model that reads `length`, marks at both ends included."""
    return min(length, LONGEST) - ENDS


def overlap(length: int) -> int:
    """How many of them it shares with the window before."""
    return min(OVERLAP, window(length) // 4)
