"""What only this user may read, and nobody else may write: the data folder and the files in it.

A key, a database or a setting that somebody else has put there would be taken for the server's own. So what
is neither this user's nor root's, or what others may write, is refused; so is the way to it (design: Trust).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path

from signoff.errors import ConfigError

OTHERS = stat.S_IRWXG | stat.S_IRWXO
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
OURS = ("*.env", "*.key", "serve.lock", "redis*", "signoff.db*", "restoring.db*", "stamps.jsonl", "demo")
"""What Signoff puts into its data folder."""
LOST_AND_FOUND = "lost+found"
"""Every file system of its own has that."""
LINKS = 40
"""Symbolic links on one way, as Linux has it."""
UNMAPPED = 65534
"""Whom Linux names as the owner, in a container without privileges, where it is nobody in there."""


class NotPrivate(ConfigError):
    """Somebody else could have written it: what was found, and what to do."""

    def __init__(self, found: str, fix: str) -> None:
        super().__init__(f"{found}: {fix}.")
        self.found, self.fix = found, fix


def check_folder(folder: Path) -> None:
    """Raise NotPrivate where others could have put something into a folder, or in its place.

    A folder that is not there yet is fine, where the way to it is.
    """
    _check_way(folder)
    with suppress(FileNotFoundError):
        _check_own(folder, os.stat(folder))


def check_file(path: Path) -> None:
    """The same for a file, and for where it lies; one that is not there is fine."""
    _check_way(path)
    with suppress(FileNotFoundError):
        _check_own(path, os.stat(path))


def read_private(path: Path) -> str:
    """What stands in a file that nobody else could have written; raises ConfigError, or FileNotFoundError."""
    try:
        return _read(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None


def _read(path: Path) -> str:
    _check_way(path)
    with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), encoding="utf-8") as file:
        info = os.fstat(file.fileno())
        _check_own(path, info)
        if not stat.S_ISREG(info.st_mode):
            raise ConfigError(f"{path} is no file.")
        try:
            return file.read()
        except UnicodeDecodeError:
            raise ConfigError(f"{path} cannot be read: it is no text in UTF-8.") from None


def check_all(place: Path) -> list[Path]:
    """Check the data folder and all in it, or a file; raises NotPrivate. What of it others may read."""
    check_folder(place)
    found = list(_below(place, known_only=True))
    for path, info in found:
        _check_own(path, info)
    return [
        path
        for path, info in found
        if _is_open(info) and (path == place or _is_known(path.relative_to(place)))
    ]


def close_all(place: Path) -> list[Path]:
    """`check_all`, and take from others what they may read; what that was.

    Raises NotPrivate for an open folder that holds other things, too: it may be somebody's home.
    """
    opened = check_all(place)
    if place in opened and (others := _strangers(place)):
        raise NotPrivate(
            f"others may read {place}, and it holds more than Signoff's files ({others[0]})",
            f"set SIGNOFF_DATA to a folder of its own, or `chmod 700 {place}`",
        )
    for path in opened:
        with suppress(FileNotFoundError):
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~OTHERS)
    return opened


def make_folder(folder: Path) -> None:
    """Make a folder for this user alone, and what is missing above it, whatever the umask; raises OSError."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(0o700)
        folder.chmod(0o700)


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read, whole or not at all, and for good; raises OSError."""
    make_folder(path.parent)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        partial.unlink()
    try:
        with open(
            os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            partial.unlink()
        raise


def _is_known(path: Path) -> bool:
    """Whether what lies there in the data folder has, or lies in what has, a name that Signoff gives."""
    return any(fnmatch(path.parts[0], name) for name in OURS)


def _strangers(folder: Path) -> list[str]:
    names = sorted(os.listdir(folder)) if folder.is_dir() else []
    return [name for name in names if not _is_known(Path(name)) and name != LOST_AND_FOUND]


def _below(folder: Path, *, known_only: bool = False) -> Iterator[tuple[Path, os.stat_result]]:
    """A folder and all in it; `known_only`: of folders in it only those that are ours are looked into.

    What goes meanwhile is passed over, and so are sockets: they have users of their own.
    """
    names: list[str] = []
    try:
        info = os.stat(folder)
        if stat.S_ISDIR(info.st_mode):
            with suppress(PermissionError):  # what this user cannot look into, nothing of ours uses
                names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return
    if stat.S_ISSOCK(info.st_mode):
        return
    yield folder, info
    for name in names:
        path = folder / name
        if path.is_symlink():
            yield from _behind(path)
        elif known_only and not _is_known(Path(name)) and path.is_dir():
            yield path, os.stat(path)
        else:
            yield from _below(path)


def _behind(link: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """What a symbolic link leads to, such as a secret that was mounted; not what lies in a folder there."""
    _check_way(link)
    with suppress(FileNotFoundError):
        info = os.stat(link)
        if not stat.S_ISSOCK(info.st_mode):
            yield link, info


def _check_way(path: Path) -> None:
    """Raise NotPrivate where others could put another thing in a path's place: each folder on the way."""
    if not hasattr(os, "geteuid"):  # Windows has other means
        return
    for step, info in _steps(path):
        if stat.S_ISDIR(info.st_mode) and info.st_mode & stat.S_IWOTH and not info.st_mode & stat.S_ISVTX:
            raise NotPrivate(
                f"everybody may write {step}, and put something else in the place of {path}",
                f"`chmod o-w {step}`, or choose another place",
            )
        if not _is_trusted(info.st_uid) and not (info.st_uid == UNMAPPED and _has_own_users()):
            raise NotPrivate(
                f"{step} belongs to user {info.st_uid}, who can put something else in the place of {path}",
                "choose a place that is yours",
            )


def _steps(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Folders and symbolic links that lead to a path, from the root; not the path, nor what it links to."""
    here, links = Path(os.sep), 0
    rest = list(reversed(Path(os.path.abspath(path)).parts[1:]))
    yield here, os.lstat(here)
    while rest:
        name = rest.pop()
        if name == os.pardir:
            here = here.parent
            continue
        step = here / name
        try:
            info = os.lstat(step)
        except (FileNotFoundError, NotADirectoryError):
            return
        if stat.S_ISLNK(info.st_mode):
            yield step, info
            links += 1
            if links > LINKS:
                raise ConfigError(f"{path} cannot be followed: too many symbolic links.")
            target = Path(os.readlink(step))
            if target.is_absolute():
                here = Path(os.sep)
            rest += [part for part in reversed(target.parts) if part != os.sep]
        else:
            here = step
            if rest:
                yield step, info


def _check_own(path: Path, info: os.stat_result) -> None:
    """Raise NotPrivate unless it is this user's, or root's, and nobody else may write it."""
    if not hasattr(os, "geteuid"):
        return
    if not _is_trusted(info.st_uid):
        raise NotPrivate(
            f"{path} belongs to user {info.st_uid}, not to you (user {os.geteuid()}) or root",
            f"if what it holds is yours, `chown {os.geteuid()} {path}`; else take it away",
        )
    if info.st_mode & OTHERS_WRITE:
        mode = 700 if stat.S_ISDIR(info.st_mode) else 600
        raise NotPrivate(
            f"others may write {path} (mode {stat.S_IMODE(info.st_mode):o}), and may have done so",
            f"if what it holds is yours, `chmod {mode} {path}`; else take it away",
        )


def _is_open(info: os.stat_result) -> bool:
    """Whether others may read what is ours; root's secrets are for root to close."""
    return bool(info.st_mode & OTHERS) and hasattr(os, "geteuid") and info.st_uid == os.geteuid()


def _is_trusted(uid: int) -> bool:
    return uid in (0, os.geteuid())


def _has_own_users() -> bool:
    """Whether this process lives where not all users of the machine have a name."""
    try:
        lines = Path("/proc/self/uid_map").read_text().splitlines()
    except OSError:
        return False
    spans = [[int(number) for number in line.split()] for line in lines]
    return not any(first <= UNMAPPED < first + count for first, _, count in spans)
