"""Word lists, and finding their words in a folded text.

This room knows what stands where, not what follows from it: no policy, no outcome. Terms are found by Aho-Corasick,
never by a regular expression, so that no list can make the search explode.
"""

from moderation.words.lists import INNOCENT, KINDS, SEVERITIES, Term, WordlistError, read_wordlist
from moderation.words.search import Hit, Wordlists

__all__ = ["INNOCENT", "KINDS", "SEVERITIES", "Hit", "Term", "WordlistError", "Wordlists", "read_wordlist"]
