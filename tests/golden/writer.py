"""Bytes as the formats have them, and the lines of a file of vectors."""
import hashlib
import struct


FILES = {}


# ---- bytes ------------------------------------------------------------------

def uint(v):
    out = b""
    while v >= 0x80:
        out += bytes([v & 0x7F | 0x80])
        v >>= 7
    return out + bytes([v])


def sint(v):
    return uint(((v << 1) ^ (v >> 63)) & (1 << 64) - 1)


def be32(v):
    return struct.pack(">I", v)


def be64(v):
    return struct.pack(">Q", v)


def span(b):
    return uint(len(b)) + b


def blake(b, key=b"", n=32):
    return hashlib.blake2b(b, digest_size=n, key=key).digest()


def pattern(n, start):
    return bytes((start + i) & 0xFF for i in range(n))


def val(v):
    """None, int, str or bytes."""
    if v is None:
        return b"\0"
    if isinstance(v, int):
        return b"\1" + sint(v)
    if isinstance(v, str):
        return b"\2" + span(v.encode())
    return b"\3" + span(v)


NOON = 1795262400000
ORG = pattern(16, 0x10)
SUBJECT = pattern(16, 0x20)


def hlc(ms, count=0):
    return ms << 16 | count


def flip(b, at, bit=0x01):
    b = bytearray(b)
    b[at] ^= bit
    return bytes(b)


def dict_of(d, more):
    return {**d, **more}


def hexed(b):
    """Hex, runs of a byte as (XX*N), "-" for no bytes."""
    out, i = "", 0
    while i < len(b):
        n = 1
        while i + n < len(b) and b[i + n] == b[i]:
            n += 1
        out += "(%02x*%d)" % (b[i], n) if n >= 24 else b[i:i + n].hex()
        i += n
    return out or "-"


class Out:
    """One file: lines `name | input | expected | reason`."""

    def __init__(self, name, about):
        self.lines = ["# " + x if x else "#" for x in about.strip().split("\n")]
        self.names = set()
        FILES[name] = self

    def put(self, name, words, expect, why):
        assert name not in self.names, name
        self.names.add(name)
        if isinstance(words, bytes):
            words = [words]
        text = " ".join(hexed(w) if isinstance(w, bytes) else str(w)
                        for w in words)
        self.lines.append(" | ".join(x for x in (name, text, expect, why) if x))

    def good(self, name, *words):
        self.put(name, list(words), "?", "")

    def bad(self, name, why, *words, code="malformed"):
        self.put(name, list(words), "refused " + code, why)
