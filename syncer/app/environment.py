"""What the environment and the file .env say: paths, addresses, secrets. Never shown, never kept."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from syncer.domain.access import is_person
from syncer.domain.errors import WrongUsage
from syncer.domain.settings import flag

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Environment:
    """Where things are, as the environment and `.env` say; defaults as documented in `.env.example`."""

    data_dir: Path
    ledger_url: str
    secret_key: str = field(repr=False)
    xero_client_id: str
    xero_client_secret: str = field(repr=False)
    xero_redirect_uri: str
    xero_api_url: str
    xero_login_url: str
    xero_identity_url: str
    crococlick_api_url: str
    crococlick_token: str = field(repr=False)
    crococlick_location_id: str
    crococlick_webhook_key: str = field(repr=False)
    console_url: str
    console_admins: str
    sign_in_hours: str
    oidc_metadata_url: str
    oidc_client_id: str
    oidc_client_secret: str = field(repr=False)
    oidc_trust_email: str
    watch: bool = True  # whether the console works in the background
    notify_urls: tuple[str, ...] = field(default=(), repr=False)  # where notices go; may hold passwords


def environment(values: Mapping[str, str] | None = None, dotenv: Path | None = None) -> Environment:
    """The settings of this machine: the environment first, then `.env` beside `streamlit_app.py`."""
    asked = {**read_dotenv(dotenv or ROOT / ".env"), **(os.environ if values is None else values)}

    def get(name: str, default: str = "") -> str:
        return asked.get(name, "").strip() or default

    data_dir = (ROOT / get("SYNCER_DATA_DIR", "data")).resolve()
    return Environment(
        data_dir=data_dir,
        ledger_url=get("SYNCER_LEDGER_URL", f"duckdb:///{data_dir / 'ledger.duckdb'}"),
        secret_key=get("SYNCER_SECRET_KEY"),
        xero_client_id=get("XERO_CLIENT_ID"),
        xero_client_secret=get("XERO_CLIENT_SECRET"),
        xero_redirect_uri=_absolute(
            "XERO_REDIRECT_URI", get("XERO_REDIRECT_URI", "http://localhost:8501/xero/callback")
        ),
        xero_api_url=_absolute("XERO_API_URL", get("XERO_API_URL", "https://api.xero.com")),
        xero_login_url=_absolute("XERO_LOGIN_URL", get("XERO_LOGIN_URL", "https://login.xero.com")),
        xero_identity_url=_absolute("XERO_IDENTITY_URL", get("XERO_IDENTITY_URL", "https://identity.xero.com")),
        crococlick_api_url=_absolute(
            "CROCOCLICK_API_URL", get("CROCOCLICK_API_URL", "https://services.leadconnectorhq.com")
        ),
        crococlick_token=get("CROCOCLICK_TOKEN"),
        crococlick_location_id=get("CROCOCLICK_LOCATION_ID"),
        crococlick_webhook_key=get("CROCOCLICK_WEBHOOK_KEY"),
        watch=_switch("SYNCER_WATCH", get("SYNCER_WATCH", "on")),
        notify_urls=tuple(get("SYNCER_NOTIFY_URLS").split()),
        console_url=get("CONSOLE_URL"),
        console_admins=get("CONSOLE_ADMINS"),
        sign_in_hours=get("CONSOLE_SIGN_IN_HOURS", "12"),
        oidc_metadata_url=get("OIDC_METADATA_URL"),
        oidc_client_id=get("OIDC_CLIENT_ID"),
        oidc_client_secret=get("OIDC_CLIENT_SECRET"),
        oidc_trust_email=get("OIDC_TRUST_EMAIL", "false"),
    )


@dataclass(frozen=True)
class Provider:
    """Who tells us who somebody is, and where people reach the console."""

    metadata_url: str
    client_id: str
    client_secret: str = field(repr=False)
    console_url: str
    admins: tuple[str, ...]
    hours: int
    trusts_email: bool = False  # also where the provider does not say that it has verified it

    @property
    def host(self) -> str:
        """The name under which the console is reached."""
        return urlsplit(self.console_url).netloc.lower()


def provider(of: Environment) -> Provider | None:
    """The sign-in that is configured; None where none is. Raises WrongUsage where it is configured by half."""
    whole = {
        "CONSOLE_URL": of.console_url,
        "OIDC_METADATA_URL": of.oidc_metadata_url,
        "OIDC_CLIENT_ID": of.oidc_client_id,
        "OIDC_CLIENT_SECRET": of.oidc_client_secret,
        "CONSOLE_ADMINS": of.console_admins,
    }
    if not any(value for name, value in whole.items() if name.startswith("OIDC_")):
        return None
    if missing := [name for name, value in whole.items() if not value]:
        raise WrongUsage(f"For people to sign in, set {' and '.join(missing)} as well.")
    admins = tuple(one.strip() for one in of.console_admins.split(",") if one.strip())
    if not admins or any(one.startswith("@") or not is_person(one) for one in admins):
        raise WrongUsage(f"CONSOLE_ADMINS must be emails, parted by commas; it is {of.console_admins!r}.")
    if not of.sign_in_hours.isdecimal() or not 1 <= int(of.sign_in_hours) <= 720:
        raise WrongUsage(f"CONSOLE_SIGN_IN_HOURS must be a whole number from 1 to 720; it is {of.sign_in_hours!r}.")
    return Provider(
        _absolute("OIDC_METADATA_URL", of.oidc_metadata_url), of.oidc_client_id, of.oidc_client_secret,
        _origin("CONSOLE_URL", of.console_url), admins, int(of.sign_in_hours),
        _yes("OIDC_TRUST_EMAIL", of.oidc_trust_email),
    )  # fmt: skip


def read_dotenv(path: Path) -> dict[str, str]:
    """`NAME=value` lines; quotes around a value are taken off, `#` begins a comment line."""
    if not path.exists():
        return {}
    found = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = re.fullmatch(r"\s*(?:export\s+)?([A-Z_][A-Z0-9_]*)\s*=\s*(.*?)\s*", line)
        if not match:
            raise WrongUsage(f"{path.name}, line {number}: expected NAME=value.")
        found[match[1]] = re.sub(r"^(['\"])(.*)\1$", r"\2", match[2])
    return found


def _switch(name: str, value: str) -> bool:
    if value.lower() not in ("on", "off"):
        raise WrongUsage(f"{name} must be on or off; it is {value!r}.")
    return value.lower() == "on"


def _absolute(name: str, url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise WrongUsage(f"{name} must be a whole address such as https://example.com; it is {url!r}.")
    return url.rstrip("/")


def _yes(name: str, value: str) -> bool:
    try:
        return flag(value)
    except ValueError as error:
        raise WrongUsage(f"{name} must be {error}; it is {value!r}.") from error


def _origin(name: str, url: str) -> str:
    whole = _absolute(name, url)
    if urlsplit(whole).path:
        raise WrongUsage(f"{name} must be an address without a path, such as https://console.example.com.")
    return whole
