"""What an operator may set, read from the environment and checked before anything starts."""

import base64
import difflib
import os
import secrets
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import dj_database_url
from pydantic import AliasChoices, Field, FilePath, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from secondlook.clinic.files.durable import write_once
from secondlook.errors import InputError
from secondlook.inference.bundle import list_bundles
from secondlook.inference.router import SHIPPED

PREFIX = "SECONDLOOK_"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
FILES_KEY_BYTES = 32
SECRETS = ("secret_key", "files_key", "s3_secret_key", "database_url", "email_url")  # each may be in a file instead
DEMANDED = frozenset({"secret_key", "files_key"})  # in production
SHORTEST_KEY = 50  # Django's own check asks for as many characters
SQLITE, POSTGRESQL = "django.db.backends.sqlite3", "django.db.backends.postgresql"
DATABASE_OPTIONS: dict[str, dict[str, Any]] = {
    SQLITE: {
        # Writers queue from their first statement on, instead of failing at their first write.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # What is acknowledged is on the disk; what is erased is overwritten.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; "
        "PRAGMA cache_size=-8000;",
    },
    # Each request has a thread of its own, so connections are kept in a pool, not by thread.
    POSTGRESQL: {"pool": {"min_size": 1, "max_size": 16, "timeout": 30}},
}
CommaSeparated = Annotated[tuple[str, ...], NoDecode]


def choose_data_folder() -> Path:
    """Return the usual folder for an application's data on this system."""
    home = os.environ.get("XDG_DATA_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(home) if home else Path.home() / ".local" / "share") / "secondlook"


def choose_bundles() -> tuple[str, ...]:
    """Return the shipped bundles, `skin` first; that one even where it is not there, so that its lack is said."""
    return ("skin", *(name for name in list_bundles() if name != "skin"))


class Configuration(BaseSettings):
    """The settings of the site; each is read from an environment variable with the prefix ``SECONDLOOK_``."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    mode: Literal["local", "production"] = Field(
        "local",
        description="`local` for one's own machine over HTTP; `production` behind HTTPS, with a key and hosts given.",
    )
    data_folder: Path = Field(
        default_factory=choose_data_folder,
        description="Folder for what the site keeps: its keys, database and pictures unless these are elsewhere.",
    )
    secret_key: SecretStr | None = Field(None, description=f"Key for signing, at least {SHORTEST_KEY} characters.")
    secret_key_file: Path | None = Field(None, description="File that holds the key, as container secrets come.")
    files_key: SecretStr | None = Field(
        None, description=f"Key that pictures are encrypted with: {FILES_KEY_BYTES} random bytes in base64."
    )
    files_key_file: Path | None = Field(None, description="File that holds the key of the pictures.")
    allowed_hosts: CommaSeparated = Field(
        LOOPBACK, description="Host names that browsers may ask for, separated by commas."
    )
    trusted_proxies: CommaSeparated = Field(
        ("127.0.0.1",), description="Addresses of proxies whose `X-Forwarded-*` headers are believed."
    )
    bundles: CommaSeparated = Field(
        default_factory=choose_bundles,
        min_length=1,
        description="Bundles on offer, by shipped name or folder; the first is the default.",
    )
    references: CommaSeparated = Field(
        (), description="Reference sets to show similar cases from, by folder; each of a bundle on offer."
    )
    router: Path = Field(SHIPPED, description="Folder of what leads a picture to its task; default: the shipped one.")
    database_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices(f"{PREFIX}DATABASE_URL", "DATABASE_URL"),
        description="Database, such as `postgres://user:password@host/name`; default: SQLite in the data folder.",
    )
    s3_bucket: str | None = Field(
        None, description="Bucket for the pictures in an S3-compatible store; default: a folder in the data folder."
    )
    s3_endpoint: str | None = Field(None, description="Address of that store; default: AWS.")
    s3_region: str | None = Field(None, description="Region of the bucket, where the store has any.")
    s3_access_key: str | None = Field(None, description="Name of the access key; default: as AWS's tools find one.")
    s3_secret_key: SecretStr | None = Field(None, description="The access key's secret.")
    s3_secret_key_file: Path | None = Field(None, description="File that holds that secret.")
    pictures_per_day: int = Field(500, ge=1, description="Pictures that one person may send in a day, UTC.")
    bytes_per_day: int = Field(2 * 10**9, ge=10**6, description="Bytes that they may have together.")
    database_url_file: Path | None = Field(None, description="File that holds the address of the database.")
    jobs: Literal["inside", "outside"] = Field(
        "inside", description="`inside`: web processes do the jobs, too; `outside`: `secondlook worker` does them."
    )
    email_url: SecretStr | None = Field(
        None,
        description="Where e-mail goes: `smtp://user:password@host:587`, `smtps://`, `smtp+plain://` or `console:`.",
    )
    email_url_file: Path | None = Field(None, description="File that holds where e-mail goes.")
    email_from: str = Field("Secondlook <secondlook@localhost>", description="Sender of e-mails.")
    contact: str = Field("", description="E-mail address for questions, in the foot of every page.")
    session_idle_minutes: int = Field(30, ge=1, le=24 * 60, description="Minutes without a request that end a log-in.")
    session_hours: int = Field(12, ge=1, le=7 * 24, description="Hours after which a log-in ends in any case.")
    leaked_passwords_file: FilePath | None = Field(
        None, description="File of SHA-1 hashes of leaked passwords, in order, as haveibeenpwned.com gives it away."
    )
    requests_per_minute: int = Field(
        600, ge=1, le=60_000, description="Requests a minute that one token may make; as many at once after a pause."
    )
    language: Literal["en", "fr"] = Field("en", description="Language where the browser asks for no known one.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")

    @field_validator("allowed_hosts", "trusted_proxies", "bundles", "references", mode="before")
    @classmethod
    def split_commas(cls, value: Any) -> Any:
        """Split a comma-separated text."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def demand_production(self) -> Self:
        """Refuse what is fit for one's own machine only, and what goes with nothing; each fault is told."""
        faults = [fault for name in SECRETS if (fault := self._judge_secret(name))]
        if not self.s3_bucket and (self.s3_endpoint or self.s3_access_key):
            faults.append(f"{PREFIX}S3_ENDPOINT and {PREFIX}S3_ACCESS_KEY need {PREFIX}S3_BUCKET")
        if self.mode == "production":
            if not (self.email_url or self.email_url_file):
                faults.append("production needs SECONDLOOK_EMAIL_URL; `console:` writes e-mails and their links out")
            if "allowed_hosts" not in self.model_fields_set or "*" in self.allowed_hosts:
                faults.append("production needs SECONDLOOK_ALLOWED_HOSTS with the host names of this site, not *")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _judge_secret(self, name: str) -> str:
        """Return what is wrong with how a secret is given; empty where nothing is."""
        given = [each for each in (name, f"{name}_file") if getattr(self, each)]
        variable = PREFIX + name.upper()
        if len(given) > 1:
            return f"give {variable} or {variable}_FILE, not both"
        if self.mode == "production" and not given and name in DEMANDED:
            return f"production needs {variable} or {variable}_FILE"
        return ""


def load_configuration() -> Configuration:
    """Read the configuration from the environment.

    Raises:
        InputError: A variable has a wrong value, or a name that is nearly one of ours; each is listed.
    """
    faults = find_misspelled()
    try:
        configuration = Configuration()
    except ValidationError as error:
        faults += [describe_fault(fault) for fault in error.errors()]
    if faults:
        raise InputError("The settings in the environment cannot be used: " + "; ".join(faults) + ".")
    return configuration


def describe_fault(fault: ErrorDetails) -> str:
    """Say what is wrong with one variable, without showing the value of a key."""
    message = fault["msg"].removeprefix("Value error, ")
    if not fault["loc"]:
        return message
    name = PREFIX + str(fault["loc"][0]).upper().removeprefix(PREFIX)
    got = "" if "KEY" in name or "URL" in name else f", got {fault['input']!r}"
    return f"{name}: {message[0].lower()}{message[1:]}{got}"


def find_misspelled() -> list[str]:
    """Return a sentence for every variable whose name is nearly one of ours."""
    known = [name.upper() for name in Configuration.model_fields]
    faults = []
    for variable in sorted(os.environ):
        name = variable.removeprefix(PREFIX)
        if variable.startswith(PREFIX) and name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
            faults += [f"{variable} is unknown, {PREFIX}{match} is meant" for match in nearest]
    return faults


def choose_database(configuration: Configuration) -> dict[str, Any]:
    """Return Django's settings of the database.

    Raises:
        InputError: The address of the database cannot be read, or is of another kind than SQLite and PostgreSQL.
    """
    found: dict[str, Any] = {"ENGINE": SQLITE, "NAME": configuration.data_folder / "secondlook.sqlite3"}
    url = read_secret(configuration, "database_url")
    if url is not None:
        try:
            found = {**dj_database_url.parse(url)}
        except (ValueError, KeyError) as error:
            raise InputError(
                f"Expected {PREFIX}DATABASE_URL such as postgres://user:password@host/name; it cannot be read as one."
            ) from error
    if found["ENGINE"] not in DATABASE_OPTIONS:
        raise InputError(
            f"Expected {PREFIX}DATABASE_URL of PostgreSQL or SQLite (postgres://, sqlite:///), got another."
        )
    return {**found, "OPTIONS": {**found.get("OPTIONS", {}), **DATABASE_OPTIONS[found["ENGINE"]]}}


def read_secret(configuration: Configuration, name: str) -> str | None:
    """Return what a secret setting, or the file that it names, holds.

    Raises:
        InputError: The file cannot be read.
    """
    value, path = getattr(configuration, name), getattr(configuration, f"{name}_file")
    if path is not None:
        return read_key_file(path)
    secret: str | None = value.get_secret_value() if value else None
    return secret


def read_secret_key(configuration: Configuration) -> str:
    """Return the key for signing; for local use one is generated once and kept where only its owner can read it.

    Raises:
        InputError: The key cannot be read or written, or is too short.
    """
    made = configuration.data_folder / "secret-key"
    key = read_secret(configuration, "secret_key") or keep_generated_key(made, secrets.token_urlsafe(64))
    if len(key) < SHORTEST_KEY or len(set(key)) < 5:
        raise InputError(
            f"Expected a secret key of at least {SHORTEST_KEY} varied characters, got {len(key)}; "
            "make one with `openssl rand -base64 48`."
        )
    return key


def read_files_key(configuration: Configuration) -> bytes:
    """Return the key that pictures are encrypted with; for local use one is generated once.

    Raises:
        InputError: The key cannot be read or written, or is no such key.
    """
    made = configuration.data_folder / "files-key"
    fresh = base64.b64encode(secrets.token_bytes(FILES_KEY_BYTES)).decode()
    text = read_secret(configuration, "files_key") or keep_generated_key(made, fresh)
    try:
        key = base64.b64decode(text, altchars="-_" if set(text) & set("-_") else None, validate=True)
    except ValueError:
        key = b""
    if len(key) != FILES_KEY_BYTES or len(set(key)) < 5:
        raise InputError(
            f"Expected in {PREFIX}FILES_KEY {FILES_KEY_BYTES} random bytes in base64, got something else; "
            "make them with `openssl rand -base64 32` and keep a copy: no picture can be read without them."
        )
    return key


def choose_store(configuration: Configuration) -> dict[str, Any]:
    """Return Django's settings of the store of pictures."""
    if not configuration.s3_bucket:
        folder = configuration.data_folder / "pictures"
        return {"BACKEND": "secondlook.clinic.files.store.DurableStorage", "OPTIONS": {"location": folder}}
    options = {
        "bucket": configuration.s3_bucket,
        "endpoint_url": configuration.s3_endpoint,
        "region_name": configuration.s3_region,
        "aws_access_key_id": configuration.s3_access_key,
        "aws_secret_access_key": read_secret(configuration, "s3_secret_key"),
    }
    return {"BACKEND": "secondlook.clinic.files.buckets.BucketStorage", "OPTIONS": options}


def read_key_file(path: Path) -> str:
    """Return the key in a file.

    Raises:
        InputError: The file cannot be read as text.
    """
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"Expected a secret key or address in {path.name}; it cannot be read. Check its place."
        ) from error


def keep_generated_key(path: Path, fresh: str) -> str:
    """Return the key in a file that its owner alone can read; on the first call the fresh one is written into it.

    Raises:
        InputError: The data folder cannot be written.
    """
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            write_once(path, fresh.encode())
    except OSError as error:
        raise InputError(
            f"Expected a data folder that can be written, {folder.name} cannot; set {PREFIX}DATA_FOLDER."
        ) from error
    return read_key_file(path)
