"""Whether a table is LaTeX, without TeX."""

import re


def check_latex(text):
    """Raise an error unless environments, braces, dollars and columns of a table match."""
    bare = re.sub(r"\\[\\{}$%&#_^]", "", text)
    assert not re.search(r"(?<!\\)[%#~\"]", bare)
    assert text.isascii()
    open_ones, depth = [], 0
    for begin, end, brace in re.findall(r"\\begin{(\w+)}|\\end{(\w+)}|([{}])", bare):
        if begin:
            open_ones.append(begin)
        elif end:
            assert open_ones.pop() == end
        else:
            depth += 1 if brace == "{" else -1
            assert depth >= 0
    assert (open_ones, depth, bare.count("$") % 2) == ([], 0, 0)
    for outside in bare.split("$")[::2]:
        assert not re.search(r"[_^<>|]", re.sub(r"\\label{[^}]*}", "", outside))
    (columns,) = re.findall(r"\\begin{(?:tabular|deluxetable)}{(\w+)}", text)
    body = re.split(r"\\startdata|\\hline", text)[-1 if "startdata" in text else 3]
    for row in re.split(r"\\enddata", body)[0].split("\\\\\n"):
        if row.strip():
            assert len(re.findall(r"(?<!\\)&", row)) == len(columns) - 1
