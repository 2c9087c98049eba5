"""What can be checked without asking anybody: settings, the data folder and keys."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from difflib import get_close_matches

from signoff.cli.doctor.patient import Fault, Patient
from signoff.errors import ConfigError
from signoff.models import crash
from signoff.policy.errors import PolicyError
from signoff.queue import private
from signoff.queue.data_folder import agent_file, agent_settings, server_settings
from signoff.queue.setting_names import NAMES
from signoff.receipts import verify_keys
from signoff.server.environment import READY_FD
from signoff.server.witness.kinds import Witness, witnesses

INTERNAL = {READY_FD, crash.ENVIRONMENT, crash.FREEZE_ENVIRONMENT}
"""What Signoff sets for its own processes."""
GENERATE = "run `signoff keys generate`; `signoff serve` makes a key, too, where there is none"


def settings(patient: Patient) -> str:
    """Everything is there and reads as what it should be."""
    try:
        found = patient.settings
        policy, admins = found.policy(), found.admin_ids()
        _ = found.signing_secret
        heads_to = witnesses(found.audit_witness, found.data)
    except PolicyError as error:
        raise Fault(error.detail, "mend the policy file; `signoff policy check` says the same") from None
    except ConfigError as error:
        raise Fault(
            error.detail, "run `signoff init`, or set it in the environment or in --env-file"
        ) from None
    source = f"policy {found.policy_file} ({policy.digest}); " if found.policy_file else ""
    named = f"{source}approvers {', '.join(policy.approvers)}; channel {policy.conversation}"
    return f"{named}; admins {', '.join(admins) or 'none'}; data in {found.data}{_heads(heads_to)}"


def _heads(witnesses: Sequence[Witness]) -> str:
    names = ", ".join(one.name for one in witnesses)
    return f"; witnesses of the audit log: {names}" if names else "; no witness has the audit log's heads"


def names(patient: Patient) -> str:
    """Nothing is set that only looks like a setting of ours: it would do nothing, and nobody would know."""
    try:
        kept = server_settings()
    except ConfigError:  # `folder` says so
        kept = {}
    given = {name for name in (*os.environ, *kept) if name.startswith(("SIGNOFF_", "SLACK_"))}
    unknown = sorted(name for name in given - NAMES - INTERNAL if name.startswith("SIGNOFF_") or name in kept)
    if not unknown:
        return f"{len(given & NAMES)} settings, and each is one of Signoff's"
    near = {name: get_close_matches(name, NAMES, 1, 0.75) for name in unknown}
    told = [f"{name} (did you mean {found[0]}?)" if found else name for name, found in near.items()]
    are = "is no setting" if len(told) == 1 else "are no settings"
    raise Fault(
        f"{', '.join(told[:5])} {are} of Signoff",
        "correct the name, or take it away: README.md lists all settings",
    )


def folder(patient: Patient) -> str:
    """Nobody else reads or writes what the server keeps; of the key, `keys` says more."""
    found = patient.settings
    try:
        opened = private.check_all(found.data)
        if found.database_file:
            opened += private.check_all(found.database_file)
    except private.NotPrivate as error:
        raise Fault(error.found, error.fix) from None
    opened = [path for path in opened if path != found.key_file]
    if opened:
        more = f" and {len(opened) - 1} more" if len(opened) > 1 else ""
        fix = f"`chmod go-rwx {opened[0]}`, or start `signoff serve` anew, which closes all of them"
        raise Fault(f"others may read {opened[0]}{more}", fix)
    return f"{found.data} is for this user alone" if found.data.exists() else f"{found.data} will be made"


def keys(patient: Patient) -> str:
    """There is a signing key that nobody else reads, and agents here hold its public half."""
    found = patient.settings
    try:
        signer = found.signer()
    except private.NotPrivate as error:
        raise Fault(error.found, error.fix) from None
    except ConfigError as error:
        raise Fault(error.detail, GENERATE) from None
    if not found.signing_key:
        mode = stat.S_IMODE(found.key_file.stat().st_mode)
        if mode & 0o077:
            raise Fault(
                f"others can read {found.key_file} (mode {mode:o})",
                f"chmod 600 {found.key_file}, and make a new key if somebody may have read it",
            )
    for where, text in _handed_out().items():
        try:
            known = verify_keys(text)
        except ConfigError as error:
            raise Fault(f"{where}: {error.detail}", "set it to what `signoff keys public` prints") from None
        if signer.kid not in known:
            raise Fault(
                f"{where} does not hold the signing key's public key: agents refuse every receipt",
                "set it to what `signoff keys public` prints; `signoff serve` writes it where it starts",
            )
    return f"signing with key {signer.kid}"


def _handed_out() -> dict[str, str]:
    """Where agents on this machine find the key, and what stands there."""
    found = {}
    if text := os.environ.get("SIGNOFF_VERIFY_KEY"):
        found["SIGNOFF_VERIFY_KEY"] = text
    try:
        if left := agent_settings():
            found[str(agent_file())] = left.get("SIGNOFF_VERIFY_KEY", "")
    except private.NotPrivate as error:
        raise Fault(error.found, error.fix) from None
    except ConfigError as error:
        raise Fault(error.detail, "start `signoff serve` again, which writes it") from None
    return found
