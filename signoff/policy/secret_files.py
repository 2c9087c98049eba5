"""Paths of files that let somebody in: keys, passwords, what a browser or a shell remembers; pure."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any

from signoff.policy.sensitive import texts_of
from signoff.policy.words import plain_name


def _sets(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SECRET_FILES = _sets(
    ".env .ssh .aws .gnupg .netrc _netrc .npmrc .pypirc .pgpass .my.cnf .kube .azure .gcloud .dockercfg "
    ".git-credentials .htpasswd .vault-token shadow gshadow id_rsa id_dsa id_ecdsa id_ed25519 credentials "
    "credentials.json service-account.json secrets secrets.yml secrets.yaml secrets.json secrets.toml "
    "keychain.db login.keychain-db environ .docker gcloud .bash_history "
    ".zsh_history .boto .s3cfg rclone.conf .password-store .terraformrc keychains wallet.dat key3.db key4.db "
    "logins.json cookies cookies.sqlite ntds.dit wp-config.php kubeconfig sudoers"
) | {"login data", "web data", "local state"}
"""A file's name, or a folder's, that holds what lets somebody in."""
_SECRET_ENDINGS = (
    ".pem",
    ".key",
    ".p12",
    ".pfx",
    ".jks",
    ".keystore",
    ".kdbx",
    ".ppk",
    ".keytab",
    ".env",
    ".tfstate",
    ".tfvars",
    ".ovpn",
    ".kubeconfig",
    ".gpg",
)
_PUBLIC = (".pub.pem", ".public.pem", ".example", ".sample", ".template")
_SECRET_NAME = re.compile(
    r"\.[a-z_]{1,20}_history|[a-z0-9._-]{0,60}(?:credentials?|secrets?|service[_-]?account|client_secret)"
    r"[a-z0-9._-]{0,60}\.(?:json|ya?ml|toml|ini|csv|txt|xml|properties|db|enc|tfvars)"
)
_COPY = re.compile(r"(?:\.(?:bak|old|orig|save|swp|swo|backup|copy|[0-9])|~)$")
"""What an editor's copy of a file, or an older one, ends with."""
_WILD = re.compile(r"[*?\[\]]")
_PATHS = _sets("path paths file files filename file_name file_path file_paths filepath key uri")
LONGEST_PATH = 4096
"""Characters of a text that are looked at for a path."""
_SLASH = re.compile(r"[/\\:{},]")


def names_secret_file(payload: dict[str, Any], *, any_field: bool = True) -> bool:
    """Whether a text of a payload is the path of a file that lets somebody in, as `~/.ssh/id_rsa` does.

    Without `any_field`, only those fields are looked at that are called a path or a file.
    """
    fields = payload if any_field else {key: one for key, one in payload.items() if plain_name(key) in _PATHS}
    return any(
        _is_secret(name) for text in texts_of(fields) for name in _SLASH.split(text[:LONGEST_PATH].lower())
    )


def _is_secret(name: str) -> bool:
    name = name.strip(" '\"")
    if _WILD.search(name) and _fits_secret(name):
        return True
    name = _COPY.sub("", name.rstrip(" .*~#"))
    if name.endswith(_PUBLIC):
        return False
    return (
        name in _SECRET_FILES
        or name.startswith((".env.", ".env-", ".env_"))
        or name.endswith(_SECRET_ENDINGS)
        or _SECRET_NAME.fullmatch(name) is not None
    )


def _fits_secret(glob: str) -> bool:
    """Whether a glob that says more than an ending fits one of the secret files, as `id_*` does."""
    if len(glob) > 100 or len(_WILD.sub("", glob)) < 2 or re.fullmatch(r"[*?]*\.[a-z0-9]+", glob):
        return False
    return any(fnmatchcase(one, glob) for one in _SECRET_FILES)
