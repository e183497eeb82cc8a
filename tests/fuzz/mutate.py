"""Random damage to sound bytes: what disks, editors, networks and ill will do."""

import random

_WORDS = [
    *(b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xf0\x9f\x90\x95", "\u202e\u0627".encode()),
    *(b"NaN", b"-inf", b"1e999", b"9" * 40, b"null", b"true", b"~", b"{}", b"[]", b'"', b"'"),
    *(b"\n", b"\r\n", b"\t", b",", b":", b"- ", b"&a", b"*a", b"!!python/object/apply:os.system ['true']"),
    *(b"<script>alert(1)</script>", b"=cmd|' /C calc'!A0", b"%s%n", b"{{7*7}}", b"${x}"),
    *(b"../../../../etc/passwd", b"/etc/passwd", b"file:///etc/passwd", b"s3://nowhere/x"),
]
"""What parsers, shells, spreadsheets and templates trip over."""


def mutated(sound: bytes, dice: random.Random) -> bytes:
    """One to four random changes."""
    content = sound
    for _ in range(dice.randint(1, 4)):
        content = dice.choice((_flip, _cut, _insert, _overwrite, _repeat, _swap))(content, dice)
    return content


def _flip(content: bytes, dice: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(dice.randint(1, 8)):
        if changed:
            changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _cut(content: bytes, dice: random.Random) -> bytes:
    first, last = _span(content, dice)
    return dice.choice((content[:first], content[:first] + content[last:], content[first:]))


def _insert(content: bytes, dice: random.Random) -> bytes:
    place = dice.randint(0, len(content))
    return content[:place] + dice.choice((dice.choice(_WORDS), dice.randbytes(dice.randint(1, 16)))) + content[place:]


def _overwrite(content: bytes, dice: random.Random) -> bytes:
    word = dice.choice(_WORDS)
    place = dice.randint(0, len(content))
    return content[:place] + word + content[place + len(word) :]


def _repeat(content: bytes, dice: random.Random) -> bytes:
    first, last = _span(content, dice)
    return content[:last] + content[first:last] * dice.randint(1, 5) + content[last:]


def _swap(content: bytes, dice: random.Random) -> bytes:
    first, last = _span(content, dice)
    middle = (first + last) // 2
    return content[:first] + content[middle:last] + content[first:middle] + content[last:]


def _span(content: bytes, dice: random.Random) -> tuple[int, int]:
    first = dice.randint(0, len(content))
    return first, min(len(content), first + dice.randint(0, 64))
