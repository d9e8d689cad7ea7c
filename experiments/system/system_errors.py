"""What the operating system refuses, in the words of the person who can mend it."""
from __future__ import annotations

import errno
import os

SHOWN = 100  # characters of a name

REASONS = {
    errno.EACCES: "there is no permission to use it. Change its permissions, or choose another place",
    errno.EPERM: "the system does not permit that. Choose another place",
    errno.EROFS: "the file system is read-only. Choose another place",
    errno.ENOENT: "there is no such file or folder",
    errno.EEXIST: "stands there already. Choose another name",
    errno.ENOTDIR: "is no folder, or something above it is none",
    errno.EISDIR: "is a folder, expected a file",
    errno.ELOOP: "its symbolic links lead back to themselves. Mend the links, or name the place itself",
    errno.ENAMETOOLONG: "the name is too long for this system. Choose a shorter one",
    errno.ENOSPC: "the disk is full. Free some space and run again",
    errno.EDQUOT: "the quota of disk space is used up. Free some space and run again",
    errno.EFBIG: "the file is larger than this system allows. Choose another place",
    errno.EIO: "the device cannot be read or written. Copy the file anew, or choose another disk",
    errno.EMFILE: "too many files are open. Raise the limit (ulimit -n), or use fewer --workers",
    errno.ENFILE: "too many files are open on this system. Close other programs",
    errno.ENOMEM: "the system is out of memory. Fewer --workers or a smaller --batch need less",
    errno.EAGAIN: "the system allows no further process or thread. Close other programs, or use fewer --workers",
}


def explain_system_error(error: OSError) -> str:
    """The name it is about, where there is one; what is wrong; what to do."""
    names = [shown(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes | os.PathLike)]
    reason = REASONS.get(error.errno or 0, error.strerror or str(error))
    return ": ".join([" -> ".join(names), reason] if names else [reason])


def explain_encoding_error(error: UnicodeError) -> str:
    """Where a text that is to be read or written is not UTF-8, such as a file's name in an older encoding."""
    if isinstance(error, UnicodeEncodeError | UnicodeDecodeError):
        start, end = max(0, error.start - SHOWN // 2), error.end + SHOWN // 2
        return (f"{error.object[start:end]!r} is not {error.encoding.upper()} at character {error.start - start + 1}. "
                "Rename the file or folder, or save the text, in UTF-8")
    return f"a text is not UTF-8: {error}. Save it in UTF-8"


def shown(name: str | bytes | os.PathLike) -> str:
    """A name for a message: of a very long one the beginning."""
    text = os.fsdecode(name)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text)} characters)"
