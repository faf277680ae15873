"""Names of hosts in the ASCII form in which browsers look them up: UTS 46, non-transitional, over IDNA 2008. Pure."""

from __future__ import annotations

import re

import idna

LONGEST_NAME = 253
# Underscores too: browsers take them, and there are hosts that are called so.
_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?", re.ASCII)


def ascii_host(written: str) -> str | None:
    """The name or the IPv4 address of a host as browsers send it (`xn--…` for what is not ASCII); None for no name."""
    if len(written) > LONGEST_NAME:
        return None
    try:
        host = ".".join(map(_label, idna.uts46_remap(written, std3_rules=False).split(".")))
    except UnicodeError:  # the library's errors are some
        return None
    return host if _NAME.fullmatch(host) and len(host.removesuffix(".")) <= LONGEST_NAME else None


def _label(label: str) -> str:
    """One part of a name; what is ASCII stays, for names such as `r3---a` are in use though no registry gives them."""
    return label if label.isascii() else idna.alabel(label).decode("ascii")
