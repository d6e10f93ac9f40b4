"""Formulas as MathML, which browsers draw without a network and without a script.

Sphinx gives formulas in TeX; latex2mathml translates them. What it translates poorly is mended
here, and a formula that it does not understand is a warning, that is, an error of the build.
"""

import re

from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
WORDS = re.compile(r"\\mathrm\{([A-Za-z/\[\]]+)\}")
NAMES = "|".join(("ln", "log", "exp", "sin", "cos", "tan"))
THIN = '<mspace width="0.167em"/>'
MENDED = (
    # relations and separators, which need space around them
    (re.compile(r"<mi>(?:~|&#x0007E;)</mi>"), "<mo>&#x0223C;</mo>"),
    (re.compile(r"<m[io]>(?:\||&#x0007C;|&#x02223;)</m[io]>"), "<mo>&#x02223;</mo>"),
    (re.compile(r"<mi>;</mi>"), '<mo separator="true">;</mo>'),
    # a function's name stands off from what precedes it, and from an argument without brackets
    (re.compile(rf"(</(?:mi|mn|msub|msup|mfrac)>)(<mi>(?:{NAMES})</mi>)"), rf"\1{THIN}\2"),
    (re.compile(rf"(<mi>(?:{NAMES})</mi>)(?=<(?:mi|mn|msub|msup|mfrac)\b)"), rf"\1{THIN}"),
)


def translate(text, display):
    """MathML of a formula in TeX."""
    from latex2mathml.converter import convert

    text = WORDS.sub(r"\\text{\1}", " ".join(text.split()))
    if r"\\" in text or "&" in text:
        text = rf"\begin{{align*}}{text}\end{{align*}}"
    found = convert(text, display=display)
    for pattern, better in MENDED:
        found = pattern.sub(better, found)
    return found


def checked(self, node, display):
    try:
        found = translate(node.astext(), display)
    except Exception as error:
        found = repr(error)
    if "\\" in found or "<math" not in found:
        LOGGER.warning("this formula cannot be translated: %s", node.astext(), location=node)
    return found


def inline(self, node):
    from docutils.nodes import SkipNode

    self.body.append(f'<span class="math">{checked(self, node, "inline")}</span>')
    raise SkipNode


def block(self, node):
    from docutils.nodes import SkipNode

    self.body.append(f'<div class="math">{checked(self, node, "block")}</div>')
    raise SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
