"""The server's settings: from the environment, prefix SIGNOFF_; Slack's own names for Slack's own.

No file is read here: `signoff.cli.given` has put into the environment what named files say.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from signoff.errors import ConfigError
from signoff.models.people import MEMBERS
from signoff.models.receipt import DEPLOYMENT
from signoff.models.texts import message_of
from signoff.policy.loader import load as load_policy
from signoff.policy.loader import parse
from signoff.policy.policy import Policy
from signoff.queue import private
from signoff.queue.data_folder import checked_place, data_folder, write_private
from signoff.receipts import Signer
from signoff.web.webhooks.hosts import Hosts

APPROVER = re.compile(r"[UWS][A-Z0-9]{2,20}")
SLACK = "https://slack.com/api/"
OF_WEB, OF_HEALTH = "127.0.0.1:8480", "127.0.0.1:8481"
"""Where the role `web` listens, unless settings say otherwise."""
_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
_CHANNEL = re.compile(r"#?[^\s#]{1,80}")
"""An id, or a name with or without its #."""


class Settings(BaseSettings):
    """What `signoff serve` is told. Lists are parted by commas or white space."""

    model_config = SettingsConfigDict(env_prefix="SIGNOFF_", extra="ignore", populate_by_name=True)

    data: Path = Field(default_factory=data_folder)
    deployment: str = Field(default=DEPLOYMENT, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$")
    redis_url: str | None = None
    redis_admin_url: SecretStr | None = None
    database_url: str | None = None
    signing_key: SecretStr | None = None
    approvers: str = ""
    channel: str = ""
    policy_file: Path | None = Field(default=None, alias="SIGNOFF_POLICY")
    admins: str = ""
    receipt_hours: float = Field(default=24, gt=0, le=24 * 90)
    audit_witness: str = ""
    log_level: str = "INFO"
    log_json: bool = False
    slack_bot_token: SecretStr | None = Field(default=None, alias="SLACK_BOT_TOKEN")
    slack_app_token: SecretStr | None = Field(default=None, alias="SLACK_APP_TOKEN")
    slack_signing_secret: SecretStr | None = Field(default=None, alias="SLACK_SIGNING_SECRET")
    slack_api_url: str = Field(default=SLACK, alias="SLACK_API_URL")
    web_bind: str = OF_WEB
    web_url: str = ""
    health_bind: str = OF_HEALTH
    webhook_hosts: str = ""

    @field_validator("web_bind", "health_bind")
    @classmethod
    def _place(cls, bind: str, about: ValidationInfo) -> str:
        host, port = split_bind(bind, OF_HEALTH if about.field_name == "health_bind" else OF_WEB)
        found = f"{host}:{port}"
        if port and found == about.data.get("web_bind"):
            raise ValueError(f"is {found}, where SIGNOFF_WEB_BIND listens: give each a port of its own")
        return found

    @field_validator("webhook_hosts")
    @classmethod
    def _hosts(cls, hosts: str) -> str:
        Hosts.read(hosts)
        return hosts

    @field_validator("web_url")
    @classmethod
    def _own(cls, url: str) -> str:
        """Tokens are sent there: in the clear only where nobody can listen. Without a slash at its end."""
        if any(char in url for char in "?#@"):
            raise ValueError("has to be an address alone: without a user, a query or a fragment")
        if url and not _keeps_secrets(url):
            raise ValueError(
                "has to be https://… (or http:// on this machine: localhost, 127.0.0.1 or [::1])"
            )
        return url.rstrip("/")

    @field_validator("slack_api_url")
    @classmethod
    def _slacks(cls, url: str) -> str:
        """With a slash at its end. The tokens go there: in the clear only where nobody can listen."""
        if not url:
            return SLACK
        if not _keeps_secrets(url):
            raise ValueError(
                "has to be https://… (or http:// on this machine: localhost, 127.0.0.1 or [::1])"
            )
        return url.rstrip("/") + "/"

    @field_validator("slack_signing_secret")
    @classmethod
    def _secret(cls, secret: SecretStr | None) -> SecretStr | None:
        text = secret.get_secret_value().strip() if secret else ""
        if not text.isascii() or not text.isprintable() or " " in text or text.startswith(("xoxb-", "xapp-")):
            raise ValueError("is no signing secret: the app's page in Slack, Basic Information, has it")
        return secret

    @field_validator("data", mode="before")
    @classmethod
    def _same_everywhere(cls, folder: object) -> object:
        try:
            return checked_place(Path(folder)) if isinstance(folder, str | Path) and folder else data_folder()
        except ConfigError as error:
            raise ValueError(error.detail.removeprefix("SIGNOFF_DATA ").rstrip(".")) from None

    @field_validator("policy_file", mode="before")
    @classmethod
    def _named(cls, path: object) -> object:
        return path or None

    @field_validator("log_level")
    @classmethod
    def _level(cls, level: str) -> str:
        if level.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise ValueError("has to be DEBUG, INFO, WARNING or ERROR")
        return level.upper()

    @property
    def signing_secret(self) -> str | None:
        """What Slack signs its calls with, where it calls us; None: we listen to it over Socket Mode.

        Raises ConfigError where both are set: then nobody could say which of them holds.
        """
        secret = self.slack_signing_secret.get_secret_value().strip() if self.slack_signing_secret else ""
        if secret and self.slack_app_token and self.slack_app_token.get_secret_value():
            raise ConfigError(
                "SLACK_APP_TOKEN and SLACK_SIGNING_SECRET are both set: keep the token where Signoff "
                "connects to Slack (Socket Mode), or the secret where Slack calls it (HTTP); unset the other."
            )
        return secret or None

    @property
    def app_token(self) -> str:
        """The app's, for Socket Mode; raises ConfigError where there is none, or Slack calls us."""
        if self.signing_secret:
            raise ConfigError(
                "SLACK_SIGNING_SECRET is set: Slack calls the role `web`, and `bot` has nothing to do."
            )
        token = self.slack_app_token.get_secret_value() if self.slack_app_token else ""
        if not token:
            raise ConfigError(
                "SLACK_APP_TOKEN is not set: the app's page in Slack, Basic Information, App-Level Tokens, "
                "makes one (xapp-…, with connections:write). Where Slack is to call Signoff by HTTP, set "
                "SLACK_SIGNING_SECRET instead."
            )
        return token

    @property
    def public_url(self) -> str:
        """Where people and callers reach the role `web`: SIGNOFF_WEB_URL, else where it listens."""
        return self.web_url or f"http://{self.web_bind}"

    @property
    def database(self) -> str:
        """SQLAlchemy's URL: SIGNOFF_DATABASE_URL, else a SQLite file in the data folder."""
        url = self.database_url or f"sqlite:///{(self.data / 'signoff.db').absolute()}"
        if url.startswith("sqlite") and ":///file:" in url:
            raise ConfigError(
                "SIGNOFF_DATABASE_URL: name SQLite's file by its path (sqlite:////path/to/file)."
            )
        return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)

    @property
    def database_file(self) -> Path | None:
        """SQLite's file; None where the database is another one, or in memory."""
        kind, _, path = self.database.partition(":///")
        is_file = kind.partition("+")[0] == "sqlite" and path and not path.startswith((":memory:", "file:"))
        return Path(path.partition("?")[0]) if is_file else None

    def policy(self) -> Policy:
        """What SIGNOFF_POLICY says, or without it who is asked about everything, and where.

        Raises PolicyError for a file that is wrong, and ConfigError where the settings are.
        """
        defaults = self._defaults()
        if self.policy_file is None:
            return defaults
        return load_policy(self.policy_file, approvers=defaults.approvers, conversation=defaults.conversation)

    def policy_from(self, data: bytes) -> Policy:
        """What a policy file of these bytes says; raises as `policy` does."""
        defaults = self._defaults()
        return parse(
            data, str(self.policy_file), approvers=defaults.approvers, conversation=defaults.conversation
        ).policy

    def _defaults(self) -> Policy:
        """Who is asked where no rule says; raises ConfigError when nobody is named or a name is no id."""
        approvers = _parts(self.approvers)
        if not approvers:
            raise ConfigError(
                "Nobody may decide: set SIGNOFF_APPROVERS to user ids (U…), group ids (S…), or `members`; "
                "`signoff init` asks for them."
            )
        for approver in approvers:
            if approver != MEMBERS and not APPROVER.fullmatch(approver):
                raise ConfigError(
                    f"SIGNOFF_APPROVERS: {approver!r} is no user id (U…), user group id (S…) or `members`. "
                    "In Slack: a profile's menu, Copy member ID."
                )
        if not _CHANNEL.fullmatch(self.channel):
            raise ConfigError("SIGNOFF_CHANNEL has to be one channel: its id (C…) or its name.")
        return Policy(approvers=approvers, conversation=self.channel)

    def admin_ids(self) -> tuple[str, ...]:
        """Who is told when a card cannot be shown; raises ConfigError."""
        admins = _parts(self.admins)
        for admin in admins:
            if not _USER.fullmatch(admin):
                raise ConfigError(f"SIGNOFF_ADMINS: {admin!r} is no user id (U…).")
        return admins

    def signer(self, *, create: bool = False) -> Signer:
        """The key from SIGNOFF_SIGNING_KEY or the data folder; `create` makes one where there is none.

        Raises ConfigError where there is none, or somebody else could have put one there.
        """
        if self.signing_key:
            return Signer.from_text(self.signing_key.get_secret_value())
        path = self.key_file
        private.check_folder(self.data)
        if not path.exists():
            if not create:
                raise ConfigError(f"No signing key: `signoff keys generate` makes one in {path}.")
            write_private(path, Signer.generate().private_text() + "\n")
        return Signer.from_text(private.read_private(path))

    @property
    def key_file(self) -> Path:
        """Where the signing key is kept when the environment has none."""
        return self.data / "signing.key"


def load() -> Settings:
    """The environment → settings; raises ConfigError naming the variable, never its value."""
    try:
        return Settings()
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        names = [str(fault["loc"][0]) for fault in faults]
        shown = [name if name.isupper() else f"SIGNOFF_{name.upper()}" for name in names]
        said = [f"{name}: {message_of(fault)}." for name, fault in zip(shown, faults, strict=True)]
        raise ConfigError(" ".join(said)) from None


def split_bind(bind: str, example: str = OF_WEB) -> tuple[str, int]:
    """`host:port` → both; an IPv6 address stands in brackets. Raises ValueError, which names an example."""
    host, colon, port = bind.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not colon or not port.isdecimal() or int(port) > 65535 or not re.fullmatch(r"[A-Za-z0-9.:-]+", bare):
        raise ValueError(f"has to be host:port, such as {example}")
    return host, int(port)


def _keeps_secrets(url: str) -> bool:
    """Whether nobody on the way can read what is sent there: TLS, or this machine itself."""
    if not url.isascii() or not url.isprintable() or any(char in url for char in " \\?#@"):
        return False
    try:
        found = urlsplit(url)
        host, _ = found.hostname, found.port
    except ValueError:
        return False
    if not host or found.scheme not in ("http", "https"):
        return False
    if found.scheme == "https" or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _parts(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.replace(",", " ").split()))
