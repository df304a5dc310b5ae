"""Every problem that the core finds has a cause with somebody to act."""

import ast
from pathlib import Path

import syncer.domain
from syncer.domain.model.problems import CAUSES, NOT_ELIGIBLE, Cure, Who, heals_by_itself
from syncer.domain.planning.actions import _RANK

HERE = Path(syncer.domain.__file__).parent


def codes_in(path):
    """The codes that a module gives to its problems, where they stand in plain sight."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem":
            yield from (one.value for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant))


def test_every_problem_has_a_cause():
    """Otherwise a screen would have no words for it."""
    found = {code for path in HERE.rglob("*.py") for code in codes_in(path)}
    assert len(found) > 20
    assert found <= set(CAUSES)
    assert set(_RANK) <= set(CAUSES)
    assert set(CAUSES) >= NOT_ELIGIBLE


def test_what_heals_by_itself_needs_nobody():
    """And nothing else is left without a person, but what is not eligible."""
    for code, cause in CAUSES.items():
        assert cause.code == code
        assert heals_by_itself(code) == (cause.cures == {Cure.TIME})
        assert (cause.who is Who.NOBODY) == (heals_by_itself(code) or code in {"test_mode", "void_before_sync"})
