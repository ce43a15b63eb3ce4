"""Line numbers of keys, checked against TOML's own parser."""

import tomllib

import pytest

from ansam.config.places import Places

TEXT = '''
top = 1

[a]
x = "#"   # [not.a.header]
"quoted key" = """
[neither]
y = 2 \\"""
"""""
list = [
  "]", # ]
  { z = 1 },
]
b.c = 'x'

[[t]]
n = 1
[t.sub]
k = \'\'\'
[[t]]
\'\'\'

[[t]] # second
n = 2
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("a",), 4),
        (("a", "x"), 5),
        (("a", "quoted key"), 6),
        (("a", "list"), 10),
        (("a", "list", 1), 10),
        (("a", "b", "c"), 14),
        (("t", 0), 16),
        (("t", 0, "n"), 17),
        (("t", 0, "sub", "k"), 19),
        (("t", 1), 23),
        (("t", 1, "n"), 24),
        (("t", 1, "missing"), 23),
        (("nowhere",), None),
    ],
)
def test_lines(path: tuple, line: int | None) -> None:
    tomllib.loads(TEXT)
    assert Places(TEXT).line(path) == line


def test_blocks_leave_the_comment_of_the_next_one_alone() -> None:
    text = "[a]\nx = 1\n\n# about b\n[b]\ny = 2\n"
    first, second = Places(text).blocks()
    assert (first.first, first.last) == (0, 2)
    assert (second.first, second.last) == (4, 6)
