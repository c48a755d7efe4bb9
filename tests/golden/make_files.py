"""Contents of files on their way: P-441, P-442."""
from writer import FILES, SUBJECT, pattern, span, uint

PIECE = 262144
MAX = 20 * 1024 * 1024


def files():
    m = FILES["message"]
    name = SUBJECT + pattern(32, 0x40)

    def put(size, at, data, tail=b""):
        return b"\x39" + name + uint(size) + uint(at) + span(data) + tail

    def part(size, at, data):
        return b"\x3c" + uint(size) + uint(at) + span(data)
    m.good("file-put-small", put(5, 0, b"hello"))
    m.good("file-put-last-piece", put(PIECE + 3, PIECE, b"end"))
    m.good("file-put-how-far", put(MAX, 0, b""))
    m.bad("file-put-empty", "piece", put(0, 0, b""))
    m.bad("file-put-too-big", "above its limit", put(MAX + 1, 0, b""))
    m.bad("file-put-short-piece", "piece", put(6, 0, b"hello"))
    m.bad("file-put-long-piece", "piece", put(4, 0, b"hello"))
    m.bad("file-put-between-pieces", "piece", put(PIECE + 3, 7, b"hello"))
    m.bad("file-put-behind-the-end", "piece", put(5, PIECE, b""))
    m.bad("file-put-cut", "cut short", put(5, 0, b"hello")[:-1])
    m.bad("file-put-longer", "bytes left over", put(5, 0, b"hello", b"\0"))
    m.good("file-taken-more", b"\x3a\0" + uint(PIECE))
    m.good("file-taken-kept", b"\x3a\1" + uint(5))
    m.good("file-taken-refused", b"\x3a\2" + uint(0))
    m.good("file-taken-later", b"\x3a\3" + uint(0))
    m.bad("file-taken-4", "fate", b"\x3a\4" + uint(0))
    m.bad("file-taken-too-far", "above its limit", b"\x3a\0" + uint(MAX + 1))
    m.good("file-get", b"\x3b" + name + uint(PIECE))
    m.bad("file-get-between-pieces", "piece", b"\x3b" + name + uint(1))
    m.bad("file-get-cut", "cut short", b"\x3b" + name[:-1])
    m.good("file-is", part(5, 0, b"hello"))
    m.bad("file-is-nothing", "piece", part(5, 0, b""))
    m.bad("file-is-short-piece", "piece", part(PIECE + 5, 0, b"hello"))
