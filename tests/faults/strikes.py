"""What may befall a run. Each is called in the process that will run, with dice of its own."""

import ctypes
import os
import random
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

_HEAD_ROOM = 400  # MB
_IMPORTS = 4_000  # MB of address space that a fresh process fills before it works
_LARGEST = 300_000  # bytes of a file
_YEAR = 365 * 86400.0

Strike = Callable[[Path, random.Random, float], None]
"""Study's folder, dice, and how long an undisturbed run takes from here, in seconds."""


def _signal(number: int) -> Strike:
    def strike(folder: Path, dice: random.Random, seconds: float) -> None:
        send = os.killpg if number == signal.SIGINT else os.kill  # a terminal's Ctrl-C goes to all that it started
        timer = threading.Timer(dice.uniform(0, seconds), send, (os.getpid(), number))
        timer.daemon = True
        timer.start()

    return strike


def at_a_write(folder: Path, dice: random.Random, seconds: float) -> None:
    """SIGKILL just before one of the calls that make something durable or visible: the worst moments."""
    left = dice.randrange(1, 120)

    def guarded(name: str) -> None:
        real = getattr(os, name)

        def call(*words: object, **more: object) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*words, **more)

        setattr(os, name, call)

    for name in ("rename", "replace", "fsync", "unlink", "mkdir", "rmdir"):
        guarded(name)


def disk_full(folder: Path, dice: random.Random, seconds: float) -> None:
    """A disk that the harness has made small; or else no file may grow beyond a random size, which looks alike."""
    if folder.is_mount():
        os.environ["DVC_SITE_CACHE_DIR"] = str(folder / ".site")  # DVC's databases, too
        return
    most = dice.randrange(100, _LARGEST)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def out_of_memory(folder: Path, dice: random.Random, seconds: float) -> None:
    """Some hundred megabytes more than are in use, and not one further."""
    import numpy
    from scipy.linalg.blas import dgemm
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)  # OpenBLAS waits for ever for a thread that it has no memory to start,
    some = numpy.ones((200, 200))
    dgemm(1.0, some @ some, some)  # and scipy's (0.3.30) for its first buffer: numpy's and scipy's each take theirs now
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    room = _HEAD_ROOM if "torch" in sys.modules else _HEAD_ROOM + _IMPORTS
    most = pages * resource.getpagesize() + dice.randrange(1, room) * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def read_only(folder: Path, dice: random.Random, seconds: float) -> None:
    """Somewhere in the study nothing can be written."""
    places = [folder, *(path for path in (folder / "artifacts", folder / ".uml", folder / ".dvc") if path.exists())]
    place = dice.choice(places)
    for path in (place, *place.rglob("*")) if place != folder else (place,):
        path.chmod(0o555 if path.is_dir() else 0o444)
    if os.geteuid() == 0:
        _bind_root()


def _bind_root() -> None:
    """Let permissions hold for root as for any owner, here and in what is started from here: root stays who it is, for
    its libraries may be nobody else's to read.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (1, 2, 3):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER
        assert libc.prctl(24, capability, 0, 0, 0) == 0, os.strerror(ctypes.get_errno())  # PR_CAPBSET_DROP
    version_and_process = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    assert libc.capset(version_and_process, nothing) == 0, os.strerror(ctypes.get_errno())


def clock_jump(folder: Path, dice: random.Random, seconds: float) -> None:
    """The clock is years off, and some files seem to come from the future or the past."""
    real, off = time.time, dice.uniform(-10, 10) * _YEAR
    after = real() + dice.uniform(0, seconds)
    time.time = lambda: real() + (off if real() > after else 0)
    for path in folder.rglob("*"):
        if path.is_file() and dice.random() < 0.2:
            moved = path.stat().st_mtime + dice.uniform(-2, 2) * _YEAR
            os.utime(path, (moved, moved))


STRIKES: dict[str, Strike] = {
    "SIGKILL": _signal(signal.SIGKILL),
    "SIGTERM": _signal(signal.SIGTERM),
    "Ctrl-C": _signal(signal.SIGINT),
    "SIGKILL at a write": at_a_write,
    "disk full": disk_full,
    "out of memory": out_of_memory,
    "read-only folder": read_only,
    "clock jump": clock_jump,
}


def flip_a_bit(folder: Path, dice: random.Random) -> Path:
    """Damage one byte of one file that the study made, or that it remembers; which one."""
    made = [path for name in ("artifacts", ".uml") for path in sorted((folder / name).rglob("*")) if path.is_file()]
    by_kind: dict[str, list[Path]] = {}
    for path in made:
        if path.stat().st_size and path.name != ".gitignore":
            by_kind.setdefault(path.suffix, []).append(path)
    path = dice.choice(by_kind[dice.choice(sorted(by_kind))])
    flip(path, dice.randrange(8 * path.stat().st_size))
    return path


def flip(path: Path, bit: int) -> None:
    """Turn one bit of a file over; who may write it stays as it was."""
    mode, content = path.stat().st_mode, bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.chmod(0o644)
    path.write_bytes(bytes(content))
    path.chmod(mode)
