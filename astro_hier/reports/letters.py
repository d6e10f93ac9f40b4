r"""Characters beyond ASCII in LaTeX and in plain ASCII, different ones always differently.

Greek letters are those of formulae in LaTeX, and their names in ASCII; accents are LaTeX's own
commands, which need no package. Whatever has no such form is shown by its number, as [U+661F].
"""

import unicodedata
from collections.abc import Iterable

__all__ = ["all_in_ascii", "in_ascii", "in_latex", "is_plain"]

# ruff: noqa: RUF001

# by the numbers of the accents that follow a letter when it is decomposed
ACCENTS = {
    0x300: "`", 0x301: "'", 0x302: "^", 0x303: "~", 0x304: "=", 0x306: "u", 0x307: ".", 0x308: '"',
    0x30A: "r", 0x30B: "H", 0x30C: "v", 0x323: "d", 0x327: "c", 0x331: "b",
}  # fmt: skip
ON_GREEK = {0x300: "grave", 0x301: "acute", 0x308: "ddot"}
DOTLESS = {"i": r"\i", "j": r"\j"}
LETTERS = {
    "ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L",
    "ı": "i", "ȷ": "j", "§": "S", "¶": "P", "£": "pounds", "–": "textendash", "—": "textemdash",
    "‘": "textquoteleft", "’": "textquoteright", "“": "textquotedblleft", "”": "textquotedblright",
    "¡": "textexclamdown", "¿": "textquestiondown",
}  # fmt: skip
MATHS = {
    "°": r"^{\circ}", "×": r"\times", "·": r"\cdot", "′": "'", "″": "''", "☉": r"\odot",
    "µ": r"\mu", "★": r"\star", "≤": r"\leq", "≥": r"\geq", "∞": r"\infty", "≈": r"\approx",
    "ϑ": r"\vartheta", "ϕ": r"\varphi", "ϖ": r"\varpi", "ϱ": r"\varrho", "ϵ": r"\varepsilon",
    "ς": r"\varsigma",
}  # fmt: skip
GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda",
    "mu", "nu", "xi", "omicron", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi",
    "omega",
}  # fmt: skip
# Unicode's names of Greek letters, where TeX has others
TEX_NAMES = {"lamda": "lambda"}
AS_LATIN = {  # Greek letters that TeX does not have, since they look like these
    "Alpha": "A", "Beta": "B", "Epsilon": "E", "Zeta": "Z", "Eta": "H", "Iota": "I", "Kappa": "K",
    "Mu": "M", "Nu": "N", "Omicron": "O", "Rho": "P", "Tau": "T", "Chi": "X", "omicron": "o",
}  # fmt: skip


def is_plain(character: str) -> bool:
    """Whether a character is printable ASCII."""
    return character.isascii() and character.isprintable()


def in_latex(character: str) -> str:
    """A character that is not plain as LaTeX text."""
    if character in LETTERS:
        return rf"\{LETTERS[character]}{{}}"
    if character in MATHS:
        return f"${MATHS[character]}$"
    raised = _raised(character)
    if raised:
        return f"${raised}$"
    parts = unicodedata.normalize("NFD", character)
    base, marks = parts[0], parts[1:]
    accent = ord(marks[0]) if len(marks) == 1 else None
    greek = _greek(base)
    if greek:
        letter = rf"\mathrm{{{AS_LATIN[greek]}}}" if greek in AS_LATIN else rf"\{greek}"
        if not marks:
            return f"${letter}$"
        if accent in ON_GREEK:
            return rf"$\{ON_GREEK[accent]}{{{letter}}}$"
    elif accent in ACCENTS and base.isascii() and base.isalpha():
        return rf"\{ACCENTS[accent]}{{{DOTLESS.get(base, base)}}}"
    return _code(character).replace("[", "{[}").replace("]", "{]}")


def in_ascii(text: str) -> str:
    """Text in printable ASCII: Greek letters by name, others without accents or by number."""
    words = unicodedata.normalize("NFC", " ".join(text.split()))
    return "".join(c if is_plain(c) else _plain(c) for c in words)


def all_in_ascii(texts: Iterable[str]) -> list[str]:
    """Several texts in ASCII, those that differ differently, by numbers where need be."""
    texts = [" ".join(text.split()) for text in texts]
    plain = {text: in_ascii(text) for text in texts}
    owners: dict[str, set[str]] = {}
    for text, said in plain.items():
        owners.setdefault(said, set()).add(text)
    for text, said in plain.items():
        if len(owners[said]) > 1:
            plain[text] = "".join(c if is_plain(c) else _code(c) for c in text)
    return [plain[text] for text in texts]


def _code(character):
    return f"[U+{ord(character):04X}]"


def _plain(character):
    base = unicodedata.normalize("NFD", character)[0]
    greek = _greek(base) or ("mu" if character == "µ" else None)
    if greek:
        return greek
    if base.isascii() and base.isalpha():
        return base
    return _code(character)


def _greek(character):
    """TeX's name of a Greek letter, or None."""
    words = unicodedata.name(character, "").split()
    if words[:1] != ["GREEK"] or words[2:3] != ["LETTER"] or len(words) != 4:
        return None
    name = words[3].lower()
    name = TEX_NAMES.get(name, name)
    if name not in GREEK:  # but archaic
        return None
    return name.capitalize() if words[1] == "CAPITAL" else name


def _raised(character):
    """A raised or lowered digit or letter in TeX, or an empty text."""
    kind, _, code = unicodedata.decomposition(character).partition(" ")
    sign = {"<super>": "^", "<sub>": "_"}.get(kind)
    letter = chr(int(code, 16)) if sign and len(code) == 4 else ""
    return f"{sign}{{{letter}}}" if letter.isascii() and letter.isalnum() else ""
