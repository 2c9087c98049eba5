"""Time stamps that were kept: whether each is of the head beside it, and of the stamper that is trusted."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path

from signoff.errors import ConfigError, NotVerified


def check(texts: Iterable[str], root: str | None) -> str:
    """One sentence on the stamps in a file of `stamps.jsonl`'s form; empty where there are none.

    `root` is the stamper's certificate authority, in PEM; without it nothing is said of their times. Raises
    NotVerified where a stamp is not what it should be.
    """
    found = [line for line in map(_line, texts) if line]
    if not found:
        return ""
    if root is None:
        return f"{len(found)} time stamps were not checked: name the stamper's root with --tsa-root"
    verifier = _verifier(root)
    for line in found:
        verifier(line["stamp"], line["head"])
    return f"{len(found)} time stamps hold"


def _line(text: str) -> dict[str, str] | None:
    if '"stamp"' not in text:
        return None
    try:
        line = json.loads(text)
        return {"head": str(line["head"]), "stamp": str(line["stamp"])}
    except (ValueError, KeyError, TypeError):
        return None


class _Verifier:
    """Checks one stamp after the other, against one root."""

    def __init__(self, root: str) -> None:
        from cryptography import x509
        from rfc3161_client import VerifierBuilder

        try:
            certificates = x509.load_pem_x509_certificates(Path(root).read_bytes())
        except ValueError:
            raise ConfigError(f"--tsa-root: {root} holds no certificate in PEM.") from None
        builder = VerifierBuilder()
        for certificate in certificates:
            builder = builder.add_root_certificate(certificate)
        self._verifier = builder.build()

    def __call__(self, stamp: str, head: str) -> None:
        from rfc3161_client import VerificationError, decode_timestamp_response

        try:
            self._verifier.verify_message(decode_timestamp_response(base64.b64decode(stamp)), head.encode())
        except (VerificationError, ValueError) as error:
            raise NotVerified(f"A time stamp does not hold: {error}.") from None


def _verifier(root: str) -> _Verifier:
    try:
        return _Verifier(root)
    except ModuleNotFoundError:
        raise ConfigError("--tsa-root needs pip install 'signoff[witness]'.") from None
