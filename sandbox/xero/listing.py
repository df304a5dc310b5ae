"""What all lists share: since when, which, in what order, which page; and the envelope around every answer."""

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from sandbox.wire import Call, Reply, dumps
from sandbox.xero.books import new_id
from sandbox.xero.errors import BadPost
from sandbox.xero.where import Field, Where, order_key

PAGE_SIZE, PAGE_MAX = 100, 1000
UNPAGED_MAX = 100_000


def flag(call: Call, name: str) -> bool:
    """A boolean query parameter; SDKs send True as well as true."""
    return lower_query(call).get(name.lower(), "").lower() == "true"


def lower_query(call: Call) -> dict[str, str]:
    """The query with lower-case names: Xero does not mind their case."""
    return {name.lower(): value for name, value in call.query.items()}


def names_of(call: Call, name: str) -> list[str]:
    """A comma list."""
    return [part.strip() for part in lower_query(call).get(name.lower(), "").split(",") if part.strip()]


def unit_places(call: Call) -> int:
    """Decimals of unit prices, 2 unless unitdp=4."""
    return 4 if lower_query(call).get("unitdp") == "4" else 2


def since_ms(call: Call) -> int | None:
    """If-Modified-Since with its one-second precision."""
    text = call.header("if-modified-since").strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError):
            return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1000


def selected(
    records: Iterable[Any], call: Call, fields: dict[str, Field], type_name: str, stamp: Callable[[Any], int]
) -> list[Any]:
    """Records that the since, where and order clauses leave, in their order."""
    since, query = since_ms(call), lower_query(call)
    test = Where(query["where"], fields, type_name).test if query.get("where", "").strip() else None
    kept = [r for r in records if (since is None or stamp(r) >= since) and (test is None or test(r))]
    if query.get("order", "").strip():
        for read, down in reversed(order_key(query["order"], fields, type_name)):
            kept.sort(key=read, reverse=down)
    else:
        kept.sort(key=lambda r: (stamp(r), r.id))
    return kept


def page_of(call: Call, force: bool = False) -> tuple[int, int] | None:
    """Page number and size, or None for an unpaged list."""
    query = lower_query(call)
    if "page" not in query and not force:
        return None
    try:
        page, size = int(query.get("page") or 1), int(query.get("pagesize") or PAGE_SIZE)
    except ValueError:
        raise BadPost("Input string was not in a correct format") from None
    return max(page, 1), min(max(size, 1), PAGE_MAX)


def cut(records: list[Any], page: tuple[int, int] | None) -> tuple[list[Any], dict[str, int] | None]:
    """The page's records and the pagination element."""
    if page is None:
        return records, None
    number, size = page
    shape = {"page": number, "pageSize": size, "pageCount": math.ceil(len(records) / size), "itemCount": len(records)}
    return records[(number - 1) * size : number * size], shape


def envelope(provider: str, ms: int, name: str, elements: Iterable[str], pagination: dict[str, int] | None) -> Reply:
    """The answer around a list of ready-made elements."""
    head = {"Id": new_id(), "Status": "OK", "ProviderName": provider, "DateTimeUTC": f"/Date({ms})/"}
    if pagination is not None:
        head["pagination"] = pagination  # type: ignore[assignment]  # because: the others are texts
    return Reply(200, f'{dumps(head)[:-1]},"{name}":[{",".join(elements)}]}}'.encode())
