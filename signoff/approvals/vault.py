"""Seals the secrets of second factors, with a key file of its own: who reads the database reads none."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from signoff.errors import ConfigError
from signoff.queue import private

FILE = "factors.key"
"""Its name in the data folder."""


class Sealed(Exception):
    """A secret cannot be read: its key is not here, or somebody has changed the row."""


class Vault:
    """AES-256-GCM, each secret bound to what it belongs to. The key outlives a change of the signing key.

    It is made when the first secret is sealed. Without a file (None) nothing can be sealed or read.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: bytes | None = None

    def seal(self, secret: str, about: str) -> tuple[str, str]:
        """(the key's name, the sealed secret). Raises ConfigError where the key cannot be kept or read."""
        key = self._key(create=True)
        nonce = secrets.token_bytes(12)
        sealed = nonce + AESGCM(key).encrypt(nonce, secret.encode(), about.encode())
        return _name(key), base64.b64encode(sealed).decode()

    def read(self, key_name: str, sealed: str, about: str) -> str:
        """The secret; raises Sealed."""
        try:
            key = self._key(create=False)
            if _name(key) != key_name:
                raise Sealed(f"it is sealed with the key {key_name}, and {FILE} has {_name(key)}")
            found = base64.b64decode(sealed, validate=True)
            return AESGCM(key).decrypt(found[:12], found[12:], about.encode()).decode()
        except (ConfigError, FileNotFoundError) as error:
            raise Sealed(f"{FILE} cannot be read: {type(error).__name__}") from None
        except (InvalidTag, ValueError):
            raise Sealed("its row was changed") from None

    def _key(self, *, create: bool) -> bytes:
        if self._known is None:
            self._known = self._loaded(create)
        return self._known

    def _loaded(self, create: bool) -> bytes:
        if self._path is None:
            raise ConfigError(f"There is no place for {FILE}.")
        private.check_folder(self._path.parent)
        if create and not self._path.exists():
            _make(self._path)
        found = base64.b64decode(private.read_private(self._path).strip(), validate=True)
        if len(found) != 32:
            raise ConfigError(f"{self._path} holds no key: put the one back that was kept apart.")
        return found


def _make(path: Path) -> None:
    """Written whole before it stands under its name; of two that make one, the first one's is kept."""
    work = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(work, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(work, path)
        except FileExistsError:
            return
    finally:
        work.unlink()


def _name(key: bytes) -> str:
    """What a key is called beside what it has sealed; tells nothing of it."""
    return hashlib.sha256(b"signoff factor key\0" + key).hexdigest()[:8]
