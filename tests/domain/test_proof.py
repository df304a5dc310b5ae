"""A proof is whole as it was written, and altered by anything else; the product and a stranger's checker agree."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.domain.closing import proof
from tests.support import stranger

texts = st.text(max_size=20)
values = st.none() | st.booleans() | st.integers() | texts | st.lists(texts, max_size=3)
records = st.lists(
    st.fixed_dictionaries({"kind": st.sampled_from(["invoice", "payment"])}, optional={"what": values}), max_size=8
)


def written(rows):
    return b"".join(proof.sealed(rows))


def verdict(content):
    return proof.verified(content.splitlines(keepends=True) if b"\r" not in content else _lines(content))


def _lines(content):
    """As a file gives its lines: they end with a line feed and nothing else."""
    return re.findall(rb"[^\n]*\n|[^\n]+\Z", content)


@given(records)
def test_what_was_written_is_whole(rows):
    """For us, and for whoever has read the document alone; both name the same seal."""
    content = written(rows)
    found = verdict(content)
    assert found.is_whole and found.lines == len(rows) + 1
    assert stranger.altered(content) == ""
    assert found.seal == stranger.seal(content)


@given(records, st.data())
def test_any_byte_that_changes_is_noticed_in_its_line(rows, data):
    """One bit is enough, wherever it is, and the line that is named is the one that holds it."""
    content = bytearray(written(rows))
    place = data.draw(st.integers(0, len(content) - 1))
    line = content[:place].count(b"\n") + 1
    content[place] ^= data.draw(st.integers(1, 255))
    found = verdict(bytes(content))
    assert found.line == line, (found, place)
    assert stranger.altered(bytes(content))


@given(records, st.data())
def test_any_line_removed_swapped_doubled_or_added_is_noticed(rows, data):
    """Also the first, the last, and a line that was right in its old place."""
    lines = written(rows).splitlines(keepends=True)
    where = st.integers(0, len(lines) - 1)
    one, other = data.draw(where), data.draw(where)
    match data.draw(st.sampled_from(["remove", "swap", "double", "insert", "cut"])):
        case "remove":
            del lines[one]
        case "swap":
            if one == other:
                return
            lines[one], lines[other] = lines[other], lines[one]
        case "double":
            lines.insert(other, lines[one])
        case "insert":
            lines.insert(one, proof.chained({"line": one + 1, "kind": "invoice"}, proof.START))
        case "cut":
            del lines[one:]
    content = b"".join(lines)
    assert not verdict(content).is_whole
    assert stranger.altered(content)


def test_lines_after_the_seal_and_a_chain_with_another_count_are_noticed():
    """A chain that is right in itself may still say something else than it is."""
    first = proof.chained({"line": 1, "kind": "proof"}, proof.START)
    short = proof.chained({"line": 2, "kind": "seal", "lines": 3}, proof.hash_of(first))
    assert verdict(first + short).why == "names another number of lines than there are"
    seal = proof.chained({"line": 2, "kind": "seal", "lines": 2}, proof.hash_of(first))
    beyond = proof.chained({"line": 3, "kind": "seal", "lines": 3}, proof.hash_of(seal))
    assert verdict(first + seal + beyond).why == "stands after the seal"
    assert verdict(proof.chained({"line": 7, "kind": "proof"}, proof.START)).why == "has another number"
    assert verdict(first).why == "is missing: the file ends without its seal"
    assert verdict(b"").line == 1
    assert verdict(first[:-1]).why == "does not end with a line feed"
    odd = proof.chained({"line": 1}, proof.START).replace(b'{"line":1', b"[1")
    assert not verdict(odd).is_whole


@pytest.mark.parametrize("body", [b"[1", b"nothing"])
def test_a_chain_of_something_else_is_no_proof(body):
    """The hash alone makes no line: it has to be an object that says which line it is."""
    digest = proof._hash(proof.START, body).encode()
    assert verdict(body + b',"hash":"' + digest + b'"}\n').why == "has another number"


def test_the_checker_in_the_document_checks(tmp_path):
    """The lines that docs/proof.md prints run as they stand."""
    import subprocess
    import sys

    page = (Path(__file__).parents[2] / "docs" / "proof.md").read_text(encoding="utf-8")
    script = tmp_path / "check.py"
    script.write_text(page.split("```python\n")[1].split("```")[0], encoding="utf-8")
    file = tmp_path / "proof.jsonl"

    def check(content):
        file.write_bytes(content)
        done = subprocess.run([sys.executable, str(script), str(file)], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    content = written([{"kind": "proof", "who": "Zoé"}, {"kind": "invoice"}])
    assert check(content) == (0, f"whole, sealed {stranger.seal(content)}\n")
    assert check(content.replace(b"invoice", b"invoicf"))[0] == 1
    assert check(b"".join(content.splitlines(keepends=True)[:-1]))[0] == 1
