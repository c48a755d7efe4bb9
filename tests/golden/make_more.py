"""Messages of waiting, numbers, erasure and restored servers."""
from writer import NOON, SUBJECT, pattern, sint, span, uint

TEMPLATE = pattern(20, 0x30)
SIG = pattern(64, 0x90)


def erasure(rev=uint(5), reason=span(b"asked for"), sig=SIG):
    return rev + SUBJECT + uint(900) + sint(NOON) + uint(3) + uint(4) + \
        reason + sig


def put(f):
    wait = b"\x0f" + uint(1234) + uint(3) + TEMPLATE
    f.good("wait", wait)
    f.bad("wait-cut", "cut short", wait[:-1])
    f.bad("wait-longer", "bytes left over", wait + b"\0")
    f.good("waited-nothing", b"\x10\0\0")
    f.good("waited-both", b"\x10\3" + uint(60000))
    f.bad("waited-for-4", "above its limit", b"\x10\4\0")
    f.bad("waited-spread-60001", "above its limit", b"\x10\1" + uint(60001))

    series = span(b"C202605")
    f.good("numbers", b"\x11\1" + series + uint(0) + uint(0))
    f.good("numbers-is", b"\x12\2" + series + uint(1) + uint(20) + series +
           uint(41) + uint(60))
    f.bad("numbers-backwards", "bad series or range", b"\x12\1" + series +
          uint(20) + uint(1))
    f.bad("numbers-of-no-series", "bad series or range", b"\x12\1" +
          span(b"c-1") + uint(1) + uint(2))
    f.bad("numbers-above-bytes", "count", b"\x12" + uint(64) + series)
    f.bad("numbers-2-62", "count", b"\x11" + uint(2 ** 62))

    f.good("ledger-nothing", b"\x13" + uint(5) + uint(5) + b"\0")
    f.good("ledger-is", b"\x14" + uint(4) + uint(5) + b"\1" + erasure())
    f.bad("ledger-reason-201", "above its limit", b"\x14" + uint(4) +
          uint(5) + b"\1" + erasure(reason=span(b"r" * 201)))
    f.bad("ledger-reason-not-utf-8", "reason", b"\x14" + uint(4) + uint(5) +
          b"\1" + erasure(reason=span(b"\xff")))
    f.bad("ledger-rev-2-63", "above its limit", b"\x14" + uint(4) + uint(5) +
          b"\1" + erasure(rev=uint(2 ** 63)))
    f.bad("ledger-signature-cut", "cut short", b"\x14" + uint(4) + uint(5) +
          b"\1" + erasure(sig=SIG[:-1]))
    f.bad("ledger-above-bytes", "count", b"\x14" + uint(4) + uint(5) +
          uint(1000) + erasure())
    f.good("erased", b"\x15" + uint(5) + SIG)
    f.bad("erased-cut", "cut short", b"\x15" + uint(5) + SIG[:-1])
    f.good("erased-ok", b"\x16")
    f.bad("erased-ok-with-a-body", "bytes left over", b"\x16\0")

    seed = b"\x1b" + uint(2) + b"\1" + uint(7) + uint(300) + TEMPLATE + \
        b"\0" + span(b"\0\1\0") + uint(9000) + b"\2" + \
        b"\0" + uint(7) + b"\1\1" + uint(299) + \
        uint(1000) + uint(8) + b"\2\5\0"
    f.good("seed", seed)
    f.bad("seed-number-2-63", "above its limit", b"\x1b" + uint(2) + b"\1" +
          uint(7) + uint(2 ** 63) + TEMPLATE + b"\0\0")
    f.bad("seed-above-bytes", "count", b"\x1b" + uint(2) + uint(65536) +
          b"\0" * 40)
    f.bad("seed-longer", "bytes left over", seed + b"\0")
    f.good("seeded", b"\x1c" + uint(10) + uint(2) + uint(0) + b"\0" +
           TEMPLATE)
    f.bad("seeded-closed-2", "boolean", b"\x1c" + uint(10) + uint(2) +
          uint(0) + b"\2" + TEMPLATE)

    f.good("directory", b"\x1d")
    row = uint(7) + uint(12) + sint(NOON) + uint(1234) + uint(1300)
    f.good("directory-is", b"\x1e\2" + row + row)
    f.bad("directory-above-bytes", "count", b"\x1e" + uint(20000) + row)
    f.good("privacy-list", b"\x1f\0" + bytes(16) + b"\0")
    f.good("privacy-erase", b"\x1f\1" + SUBJECT + span(b"asked for"))
    f.bad("privacy-verb-9", "verb", b"\x1f\x09" + SUBJECT + b"\0")
    f.bad("privacy-reason-201", "above its limit", b"\x1f\1" + SUBJECT +
          span(b"r" * 201))
    f.bad("privacy-reason-nul", "reason", b"\x1f\1" + SUBJECT + span(b"a\0"))
    f.good("privacy-is", b"\x20\1" + SUBJECT + b"\1" + sint(NOON) + uint(3) +
           uint(4) + span(b"asked for") + uint(46) + uint(1) + uint(1))
    f.bad("privacy-is-done-2", "boolean", b"\x20\1" + SUBJECT + b"\2" +
          sint(NOON) + uint(3) + uint(4) + b"\0\0\0\0")
    f.bad("privacy-is-above-bytes", "count", b"\x20" + uint(1000) + SUBJECT)
    f.good("hold", b"\x21" + uint(3))
    f.good("held", b"\x22\1" + SUBJECT + sint(NOON))
    f.bad("hold-2-40", "above its limit", b"\x21" + uint(2 ** 40))
    f.bad("held-above-bytes", "count", b"\x22" + uint(20) + SUBJECT)
