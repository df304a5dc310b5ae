"""Strict validation in class-validator's words: an unknown property is refused, not ignored."""

from typing import Any

from sandbox.crococlick.errors import invalid

# name: (type, required). A type is string, text (a string that may be empty), number,
# boolean, object, array or an enumeration as a tuple.
Rules = dict[str, tuple[Any, bool]]

KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "text": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}


def complaints(values: dict[str, Any], rules: Rules, prefix: str = "") -> list[str]:
    """Everything that is wrong with an object."""
    found = [f"{prefix}property {name} should not exist" for name in values if name not in rules]
    for name, (kind, required) in rules.items():
        value = values.get(name)
        if value is None:
            if required:
                found += [f"{prefix}{name} {wanted(kind)}", f"{prefix}{name} should not be empty"]
            continue
        if not fits(value, kind):
            found.append(f"{prefix}{name} {wanted(kind)}")
        elif required and value == "" and kind != "text":
            found.append(f"{prefix}{name} should not be empty")
    return found


def fits(value: Any, kind: Any) -> bool:
    """Whether a value is of a kind; a boolean is no number."""
    if isinstance(kind, tuple):
        return value in kind
    if kind == "number" and isinstance(value, bool):
        return False
    return kind == "any" or isinstance(value, KINDS[kind])


def wanted(kind: Any) -> str:
    """How class-validator names what it wanted."""
    if isinstance(kind, tuple):
        return "must be a valid enum value"
    return {
        "string": "must be a string",
        "text": "must be a string",
        "number": "must be a number conforming to the specified constraints",
        "boolean": "must be a boolean value",
        "object": "must be an object",
        "array": "must be an array",
    }.get(kind, "is wrong")


def require(values: dict[str, Any], rules: Rules) -> None:
    """Refuse an object that is wrong, with all complaints at once."""
    if found := complaints(values, rules):
        raise invalid(found)
