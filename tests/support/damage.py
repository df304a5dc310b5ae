"""Random damage to the JSON of an answer: what a service, a proxy or a new version may send one day."""

import json
from copy import deepcopy

ODD = [
    None, True, False, 0, -1, 7, 0.1, 1e300, -1e-300, 249.98000000000002, 10**40, float("nan"), float("inf"),
    "", " ", "12,50", "twelve", "1e999999", "12.50", "-0", "NaN", "Infinity", "null", "\ud83c", "a\udfffb", "\x00",
    "٣", "1_000", "0x10", "/Date(99999999999999999999)/", "/Date(soon)/", "2026-02-30", "0000-00-00T00:00:00",
    "2026-09-14T00:00:00+99:99", [], {}, [None], [[]], [{}], [1], ["a"], {"a": None}, {"Message": 1}, [{"Message": []}],
]  # fmt: skip


def places(value, at=()):
    """The path of everything in a JSON value."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*at, key))


def damaged(body, rng, under=()):
    """A copy of a body with one to three things wrong in it, all of them at or below the path `under`."""
    made = deepcopy(body)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        below = [path for path in places(made) if path[: len(under)] == under and path]
        made = hurt(made, rng.choice(below), rng) if below else made
    return made


def hurt(body, path, rng):
    """One thing wrong at this path: another value, none at all, another name, one more."""
    holder = body
    for key in path[:-1]:
        holder = holder[key]
    key = path[-1]
    match rng.randrange(6):
        case 0 if isinstance(holder, dict):
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[f"{key}X"] = holder.pop(key)
        case 2 if isinstance(holder[key], list):
            holder[key] = [*holder[key], deepcopy(rng.choice(ODD))]
        case 3 if isinstance(holder[key], int | float):
            holder[key] = str(holder[key])
        case 4:
            holder[key] = [holder[key]]
        case _:
            holder[key] = deepcopy(rng.choice(ODD))
    return body


def raw(body):
    """The bytes of a body; NaN and halves of characters as JavaScript and Python print them."""
    return json.dumps(body).encode()
