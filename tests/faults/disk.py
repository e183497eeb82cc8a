"""A small disk of its own for a study: a tmpfs, where the machine lets us mount one."""

import math
import subprocess
from pathlib import Path

_BLOCK = 4096  # bytes


def used(folder: Path) -> int:
    """Bytes that the files of a folder take on such a disk."""
    sizes = (path.lstat().st_size for path in folder.rglob("*"))
    return sum(math.ceil(size / _BLOCK) * _BLOCK for size in sizes)


def mount(folder: Path, size: int) -> bool:
    """Put a disk of `size` bytes at `folder`, if that is allowed; whether it was."""
    return _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))


def make_room(folder: Path) -> None:
    """Give the disk at `folder` a gigabyte."""
    assert _run("mount", "-o", "remount,size=1g", str(folder))


def unmount(folder: Path) -> None:
    """Take the disk at `folder` away, and all that is on it."""
    assert _run("umount", str(folder))


def _run(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:  # no such command on this system
        return False
