"""The action table: classes of actions, and what Signoff takes the risk and reversibility of each to be.

A policy's own `risk` and `reversibility` win over it. An action in no class counts as high and irreversible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from signoff.models.messages import Reversibility, Risk
from signoff.models.verdict import REVERSIBILITIES, RISKS
from signoff.policy.globs import Globs, fold
from signoff.policy.sensitive import THINGS, reads_sensitive

NAME = "signoff-actions"
VERSION = 2
"""Of the table; it changes with any class."""
NONE = Globs(())
FILES = "file-read"
SENSITIVE = "sensitive-read"
"""The class of what a policy's `sensitive_fields` make of a read, too."""


@dataclass(frozen=True)
class ActionClass:
    """One line of the table. `read_only` changes nothing; `tags` are what requests of this class count as,
    whether their agent says so or not.

    `inside` is the class that counts where nobody outside is reached. Only for `addressed` names can a
    payload show that: who reads a tweet, or gets a text message, is in no mail address. `outside` is the
    class that counts where a payload shows that it goes elsewhere, too.

    `fits_too` is for names that no glob can tell; `words` are what it looks for, to be shown.
    """

    name: str
    what: str
    risk: Risk
    reversibility: Reversibility
    globs: Globs
    read_only: bool = False
    tags: tuple[str, ...] = ()
    inside: str | None = None
    addressed: Globs = NONE
    outside: str | None = None
    words: tuple[str, ...] = ()
    fits_too: Callable[[str], bool] | None = None

    def fits(self, action: str) -> bool:
        """Whether an action is of this class by its name."""
        return self.globs.matches(action) or (self.fits_too is not None and self.fits_too(action))


def _class(
    name: str,
    what: str,
    risk: Risk,
    reversibility: Reversibility,
    globs: str,
    *,
    read_only: bool = False,
    tags: tuple[str, ...] = (),
    inside: str | None = None,
    addressed: str = "",
    outside: str | None = None,
) -> ActionClass:
    names, mails = (Globs(tuple(each.split())) for each in (globs, addressed))
    return ActionClass(name, what, risk, reversibility, names, read_only, tags, inside, mails, outside)


TABLE: tuple[ActionClass, ...] = (
    _class(
        "read", "look something up in a system", "low", "reversible",
        "read get.* get_* list.* list_* fetch fetch_* lookup lookup_* describe_* *.read *.get *.list "
        "*.fetch *.lookup *.describe *.status *.count database_read database.read db.read weather.* "
        "get_weather",
        read_only=True,
    ),
    ActionClass(
        SENSITIVE, "read what not everybody may know: salaries, patients, secrets", "high",
        "irreversible", NONE, read_only=True, tags=("sensitive",), words=tuple(sorted(THINGS)),
        fits_too=reads_sensitive,
    ),
    _class(
        "search", "search, in the web or in one's own data", "low", "reversible",
        "search search.* search_* *.search web_search web.search find_* *.find",
        read_only=True,
    ),
    _class(
        "draft", "write a draft that nobody gets yet", "low", "reversible",
        "draft draft.* draft_* *.draft create_draft *.create_draft save_draft *.save_draft",
    ),
    _class(
        "message-inside", "a message to internal_domains, or in the company's own chat", "low", "costly",
        "slack.post* slack.reply* slack.notify* slack.chat.post* *.notify_team notify_team notify.team "
        "post_internal_* message.internal teams.post* mattermost.post*",
        outside="message-outside",
    ),
    _class(
        "message-outside", "a message that can reach somebody outside", "high", "irreversible",
        "send send_email email.send *.send_email mail.send send_mail gmail.send* outlook.send* smtp.send "
        "send_message message.send *.send_message send_sms sms.send whatsapp.send* send_* *.send "
        "reply_email email.reply email.forward forward_email publish publish_* *.publish post_tweet "
        "tweet.* twitter.post linkedin.post* social.post*",
        tags=("external",), inside="message-inside",
        addressed="*mail* outlook.send* smtp.send send_message message.send",
    ),
    _class(
        "money", "move money, or promise it", "high", "irreversible",
        "payment payment.* payments.* payment_* make_payment pay pay.* pay_* *.pay refund refund.* "
        "refund_* *.refund create_refund issue_refund charge charge.* charge_* *.charge transfer "
        "transfer.* transfer_* *.transfer invoice.pay payout payout.* payouts.* purchase purchase.* "
        "purchase_* order.place place_order subscription.create subscription.cancel stripe.*.create",
        tags=("money",),
    ),
    _class(
        "delete-data", "delete rows, records or whole stores", "high", "irreversible",
        "*delete* *destroy* *purge* *truncate* *erase* *wipe* db.drop "
        "*.drop drop_* *.drop_* remove_* *.remove",
        tags=("destructive",),
    ),
    _class(
        "write-data", "add or change rows and records", "medium", "costly",
        "database_write database.write db.write db.update db.insert db.upsert db.execute sql.execute "
        "*.update update_* *.create create_* *.insert insert_* *.upsert *.write write_* crm.* ticket.* "
        "tickets.* *.import",
    ),
    _class(
        "api-call", "call some HTTP address", "medium", "irreversible",
        "api_call api.call http.* http_request https.* webhook webhook.* call_webhook curl",
    ),
    _class(
        "access-change", "change who may do what, or touch what is secret", "critical", "irreversible",
        "iam.* access.* *.grant grant_* *.grant_* *.revoke revoke_* *.revoke_* permission.* permissions.* "
        "role.* roles.* add_user remove_user user.create user.delete user.invite invite_user "
        "*.rotate_key rotate_* *secret* *credential* *password* *api_key* *access_key* *private_key* "
        "firewall.* share_* *.share",
    ),
    _class(
        "deploy-staging", "deploy where no customer is", "medium", "reversible",
        "deploy.staging deploy_staging deploy.staging.* deploy_to_staging staging.deploy *.deploy_staging "
        "deploy.dev deploy.test deploy_dev deploy_test deploy.preview deploy_preview",
    ),
    _class(
        "deploy-production", "deploy to production, or to who knows where", "critical", "costly",
        "deploy deploy.production deploy.production.* deploy_production deploy.prod deploy.prod.* "
        "deploy_prod deploy_to_production deploy_to_prod production.deploy prod.deploy *.deploy "
        "*.deploy_production *.deploy_prod release release.* release_* *.release rollback rollback.* "
        "rollback_* *.rollback",
        tags=("production",),
    ),
    _class(
        "run-command", "run any command or program", "medium", "irreversible",
        "run_command run.command command.run shell shell.* shell_* bash bash.* exec exec.* exec_* "
        "execute_command terminal.* run_script script.run python.run run_python run_code code.run "
        "execute_code ssh.*",
    ),
    _class(
        "run-tests", "run a project's own tests and checks", "low", "reversible",
        "run_tests run_test tests.run test.run tests.* pytest pytest.* lint lint.* run_lint run_linter "
        "typecheck",
    ),
    _class(
        "file-read", "read files", "low", "reversible",
        "read_file read_files file.read files.read file_read list_files files.list file.list "
        "list_directory directory.list fs.read fs.list glob grep",
        read_only=True,
    ),
    _class(
        "file-edit", "create or change files in a workspace", "low", "reversible",
        "edit_file edit_files file.edit files.edit file_edit write_file file.write files.write file_write "
        "create_file file.create files.create file_create fs.write fs.edit apply_patch patch.apply "
        "move_file file.move files.move file_move rename_file",
    ),
    _class(
        "file-delete", "delete files", "high", "irreversible",
        "delete_file delete_files file.delete files.delete file_delete remove_file remove_files "
        "file.remove files.remove file_remove fs.delete fs.remove delete_directory directory.delete rm",
        tags=("destructive",),
    ),
)  # fmt: skip
CLASSES = {one.name: one for one in TABLE}


_LITERAL = {glob: one for one in TABLE for glob in one.globs.patterns if not set("*?") & set(glob)}


@lru_cache(maxsize=4096)
def fitting(action: str) -> tuple[ActionClass, ...]:
    """The classes that an action fits, the one that counts first; empty where none fits.

    A class that has the very name is the only one. Else, of several, the class with the highest risk counts,
    then the one that is hardest to undo, then the later one: so `search.delete_index` is no search. The
    others count for what a policy blocks or always asks about: `send_delete_notice` reaches the outside, too.
    """
    found = _LITERAL.get(fold(action))
    if found:
        return (found,)
    return strictest_first(one for one in reversed(TABLE) if one.fits(action))


def strictest_first(classes: Iterable[ActionClass]) -> tuple[ActionClass, ...]:
    """Classes in the order in which they count: the highest risk, then what is hardest to undo."""
    return tuple(
        sorted(
            classes,
            key=lambda one: (RISKS.index(one.risk), REVERSIBILITIES.index(one.reversibility)),
            reverse=True,
        )
    )
