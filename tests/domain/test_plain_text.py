"""Descriptions as people read them: markup becomes text, what nobody can see is left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.domain.mapping.plain_text import is_whole, plain_text, without_odd_characters


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Design & build", "Design & build"),
        ("<p>Design &amp; build</p><ul><li>Home page</li><li>Shop</li></ul>", "Design & build\n- Home page\n- Shop"),
        ("<b>Two</b> days<br>on site<br/>by <a href='x'>us</a>", "Two days\non site\nby us"),
        ("<P CLASS='a'>One\n  line</P>\n<p>&nbsp;</p><p>two</p><li></li>", "One line\ntwo"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<style>p {color: red}</style><script>alert(1)</script></script><hr/>seen", "seen"),
        ("<ul/><b/><tr/>one", "one"),
        ("<p>1 < 2 and <unknown> stays", "1 < 2 and <unknown> stays"),
        ("a < b > c", "a < b > c"),
        ("if a<b and b>c", "if a<b and b>c"),
        ("AT&amp;T &euro;5 &#8364;6 &#xe9;", "AT&T €5 €6 é"),
        ("R&D &copy 5; &nosuchthing;", "R&D &copy 5; &nosuchthing;"),
        ("Consulting\x02 day\r\nsecond\x0bthird\tcolumn", "Consulting day\nsecond\nthird\tcolumn"),
        ("half \ud83c, whole \U0001f388", "half , whole \U0001f388"),
        ("family \U0001f468\u200d\U0001f469", "family \U0001f468\u200d\U0001f469"),
        ("&#2; &#0;&#xd83c;", " \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"),
    ],
)  # fmt: skip
def test_what_is_read(written, read):
    """Blocks on lines of their own, points with a dash; a comparison of two things is no markup."""
    assert plain_text(written) == read


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_written_afterwards(written):
    """Whatever it holds, and reading it twice changes nothing that reading it once would leave odd."""
    read = plain_text(written)
    read.encode()
    assert without_odd_characters(read) == read and is_whole(read)
    assert is_whole(written) == (written.encode("utf-8", "ignore").decode() == written)
