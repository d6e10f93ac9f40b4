"""Which of the known names a misspelt one most likely means."""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["close_names", "did_you_mean"]

ALIKE = 0.7
MOST = 3  # suggestions


def close_names(wrong: str, known: Iterable[str], alike: float = ALIKE) -> list[str]:
    """Known names that differ by a few letters, whatever their case, the closest first.

    ``alike`` is the least share of letters in common.
    """
    folded: dict[str, list[str]] = {}
    for name in known:
        folded.setdefault(name.strip().casefold(), []).append(name)
    close = get_close_matches(wrong.strip().casefold(), folded, n=MOST, cutoff=alike)
    return [name for key in close for name in folded[key]][:MOST]


def did_you_mean(wrong: Iterable[str], known: Iterable[str], alike: float = ALIKE) -> str:
    """A question about misspelt names for the end of a message, or nothing."""
    known = list(known)
    close = dict.fromkeys(name for word in wrong for name in close_names(str(word), known, alike))
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
