"""States, registries, invitations; clocks and merges."""
from writer import (NOON, ORG, SUBJECT, Out, be32, be64, blake, dict_of,
                    flip, hlc, pattern, sint, span, uint, val)


# ---- states -----------------------------------------------------------------

def stamp(h, dev, lsn):
    return be64(h) + uint(dev) + uint(lsn)


BORN = stamp(hlc(NOON), 7, 100)


def record(cells=(), flags=0x10, rid=SUBJECT, kind=1, born=BORN, rlsn=0,
           dele=b"", ncells=None):
    b = bytes([flags]) + rid + uint(kind) + born + sint(rlsn) + dele
    b += uint(len(cells) if ncells is None else ncells)
    before = 0
    for field, value, clock, ext in cells:
        b += uint((field - before - 1) << 2 | (1 if clock else 0) |
                  (2 if ext is not None else 0))
        b += clock + (value if isinstance(value, bytes) else val(value))
        b += b"" if ext is None else span(ext)
        before = field
    return b


def states():
    f = Out("record", """
The canonical state of one record. Expected of a good one: its members; the
same bytes come back when it is written again. P-064 to P-066.""")
    clock = sint(60000 << 16) + uint(8) + uint(140)
    f.good("empty", record())
    f.good("born-cells", record([(2, "Acme", b"", None),
                                 (3, 5, b"", None)]))
    f.good("changed-cell", record([(2, "Acme", b"", None),
                                   (3, "Hill St", clock, None)], rlsn=40))
    f.good("cleared-cell", record([(2, None, clock, None)], rlsn=40))
    f.good("last-field", record([(1023, 1, b"", None)]))
    d = stamp(hlc(NOON + 1), 9, 150) + uint(140)
    f.good("deleted", record(flags=0x15, dele=d, rlsn=50))
    f.good("deleted-with-edits", record(flags=0x17, dele=d, rlsn=50))
    f.good("restored", record(flags=0x14, dele=d, rlsn=50))
    review = uint(141) + b"\2" + val("b") + stamp(hlc(NOON, 9), 8, 141) + \
        val("a") + stamp(hlc(NOON, 8), 7, 120)
    f.good("open-conflict", record([(2, "b", sint(9) + uint(8) + uint(141),
                                     review)], rlsn=41))
    f.good("set-of-two", record([(21, "a\nb", b"", b"\2" + span(b"a") +
                                  b"\7\x64" + span(b"b") + b"\7\x64")]))
    f.good("pending-only", record(born=stamp(hlc(NOON), 7, 0)))
    f.good("any-field-state-is-kept", record([(2, "b", b"", b"\xff")]))

    def bad(name, why, b):
        f.bad(name, why, b)
    r = record([(2, "Acme", b"", None)])
    for n in (0, 1, 16, 18, 20, 27, len(r) - 1):
        bad("cut-at-%d" % n, "", r[:n])
    bad("longer", "bytes left over", r + b"\0")
    bad("format-0", "unknown format", record(flags=0))
    bad("format-2", "unknown format", record(flags=0x20))
    bad("flag-8", "unknown format", record(flags=0x18))
    bad("kind-0", "no kind", record(kind=0))
    bad("kind-65536", "above its limit", record(kind=65536))
    bad("born-never", "birth out of range", record(born=stamp(0, 7, 100)))
    bad("born-2-63", "stamp out of range", record(born=stamp(2 ** 63, 7, 1)))
    bad("born-device-2-32", "above its limit",
        record(born=be64(hlc(NOON)) + uint(2 ** 32) + uint(1)))
    bad("rlsn-negative", "birth out of range", record(rlsn=-101))
    bad("deleted-without-a-stamp", "deleted without a stamp",
        record(flags=0x11))
    bad("edits-but-not-deleted", "bad deletion", record(flags=0x16, dele=d))
    bad("deletion-stamp-0", "bad deletion",
        record(flags=0x15, dele=stamp(0, 9, 150) + b"\0"))
    bad("cells-above-bytes", "more fields than bytes", record(ncells=1000))
    bad("cells-1024", "above its limit",
        record(ncells=1024) + bytes(4096))
    bad("field-1024", "field out of range", record([(1024, 1, b"", None)]))
    bad("field-2-40", "field out of range",
        record(ncells=1) + uint(2 ** 40) + b"\0" * 4)
    bad("clock-of-birth-said", "bad clock of a field",
        record([(2, "x", sint(0) + uint(7) + uint(100), None)]))
    bad("clock-negative", "bad clock of a field",
        record([(2, "x", sint(-hlc(NOON) - 1) + uint(7) + uint(1), None)]))
    bad("state-of-no-bytes", "empty state of a field",
        record([(2, "x", b"", b"")]))
    bad("state-announces-2-62", "above its limit",
        record(ncells=1) + b"\6" + val("x") + uint(2 ** 62))
    bad("value-type-9", "unknown value type",
        record([(2, b"\x09", b"", None)]))
    bad("text-not-utf-8", "text is not UTF-8",
        record([(2, b"\2\1\xfe", b"", None)]))
    bad("varint-long", "bad varint",
        bytes([0x10]) + SUBJECT + b"\x81\0" + BORN + b"\0\0")


def registries():
    f = Out("registry", """
Who is who. Expected of a good one: its members; the same bytes come back.""")

    def team(ord=1, key=b"east", name="东".encode(), parent=b""):
        return uint(ord) + span(key) + span(name) + span(parent)

    def user(ord=1, key=b"ann.lee", name=b"Ann", role=b"rep", team=1, off=0):
        return uint(ord) + span(key) + span(name) + span(role) + \
            uint(team) + bytes([off])

    def device(ord=1, user=1, name=b"laptop", revoked=0):
        return uint(ord) + uint(user) + span(name) + bytes([revoked])

    def reg(teams=(), users=(), devices=(), rev=9):
        return uint(rev) + uint(len(teams)) + b"".join(teams) + \
            uint(len(users)) + b"".join(users) + uint(len(devices)) + \
            b"".join(devices)
    whole = reg([team()], [user(), user(2, b"bob", off=1, team=0)],
                [device(), device(2, 2, b"", 1)])
    f.good("empty", reg(rev=0))
    f.good("whole", whole)
    f.good("team-without-name", reg([team(name=b"")]))
    f.good("key-of-64", reg(users=[user(key=b"k" * 64)]))
    f.bad("nothing", "cut short", b"")
    for n in (1, 2, 8, 20, len(whole) - 1):
        f.bad("cut-at-%d" % n, "", whole[:n])
    f.bad("longer", "bytes left over", whole + b"\0")
    f.bad("teams-above-bytes", "count above the message",
          uint(1) + uint(90000) + b"\0")
    f.bad("users-100001", "above its limit",
          uint(1) + b"\0" + uint(100001) + b"\0" * 9)
    f.bad("devices-announce-2-60", "above its limit",
          uint(1) + b"\0\0" + uint(2 ** 60))
    f.bad("user-0", "ordinal 0", reg(users=[user(0)]))
    f.bad("team-0", "ordinal 0", reg([team(0)]))
    f.bad("device-0", "ordinal 0", reg(devices=[device(0)]))
    f.bad("user-2-32", "above its limit", reg(users=[user(2 ** 32)]))
    f.bad("key-empty", "empty key", reg(users=[user(key=b"")]))
    f.bad("key-65", "above its limit",
          reg(users=[user(key=b"k" * 65)]))
    f.bad("key-upper-case", "bad character in a key",
          reg(users=[user(key=b"Ann")]))
    f.bad("key-with-a-slash", "bad character in a key",
          reg(users=[user(key=b"../ann")]))
    f.bad("name-not-utf-8", "text is not UTF-8",
          reg(users=[user(name=b"\xc3")]))
    f.bad("name-257", "above its limit",
          reg(users=[user(name=b"n" * 257)]))
    f.bad("disabled-2", "bad flag", reg(users=[user(off=2)]))
    f.bad("revoked-255", "bad flag", reg(devices=[device(revoked=255)]))


def invites():
    f = Out("invite", """
An invitation, as the bytes of its text. Expected of a good one: its members.
P-100.""")
    digits = "0123456789abcdefghjkmnpqrstvwxyz"

    def text(body, cut=0, tail=None):
        b = body + (blake(body)[:4] if tail is None else tail)
        n, acc = len(b) * 8, int.from_bytes(b, "big")
        pad = -n % 5
        acc <<= pad
        s = "".join(digits[acc >> i & 31] for i in
                    range(n + pad - 5, -1, -5))
        return "satchel1." + s

    def body(version=1, address=b"tcp://127.0.0.1:7443"):
        return bytes([version]) + ORG + pattern(32, 0x40) + \
            pattern(16, 0xE0) + span(address)
    good = text(body())
    f.good("good", good.encode())
    f.good("spaces-around", b" \t" + good.encode() + b"\r\n")
    f.good("upper-case", b"satchel1." + good[9:].upper().encode())
    f.good("o-and-i-read-aloud", b"satchel1." + good[9:].replace(
        "0", "O").replace("1", "l").encode())
    f.good("no-address", text(body(address=b"")).encode())
    f.good("address-255", text(body(address=b"a" * 255)).encode())

    def bad(name, why, t):
        f.bad(name, why, t if isinstance(t, bytes) else t.encode(),
              code="validation")
    bad("empty", "not an invitation", "")
    bad("another-word", "not an invitation", "hello")
    bad("version-in-the-word", "not an invitation",
        good.replace("satchel1.", "satchel2."))
    bad("word-only", "damaged", "satchel1.")
    bad("letter-changed", "damaged",
        good[:30] + ("b" if good[30] != "b" else "c") + good[31:])
    bad("letter-lost", "damaged", good[:-1])
    bad("letter-more", "damaged", good + "0")
    bad("two-letters-swapped", "damaged", next(
        good[:i] + good[i + 1] + good[i] + good[i + 2:]
        for i in range(12, 60) if good[i] != good[i + 1]))
    bad("letter-u", "damaged", good[:30] + "u" + good[31:])
    bad("space-within", "damaged", good[:30] + " " + good[30:])
    bad("spare-bits", "damaged", good[:-1] +
        digits[digits.index(good[-1]) | 1])
    bad("check-of-zeros", "damaged", text(body(), tail=bytes(4)))
    bad("version-2", "unknown version", text(body(version=2)))
    bad("body-cut", "cut short", text(body()[:40]))
    bad("body-longer", "bytes left over", text(body() + b"\0"))
    bad("address-256", "above its limit",
        text(body(address=b"a" * 256)))
    bad("thousand-letters", "damaged", "satchel1." + "0" * 1000)


# ---- arithmetic -------------------------------------------------------------

def clocks():
    f = Out("hlc", """
Stamps. "tick" LAST OFFSET_MS WALL_KEPT BOOT_KEPT WALL BOOT -> stamp and
whether the clock is suspect. "learn" LAST SEEN -> last. "admit" NOW LAST_CLAMPED
WALL STAMP PREVIOUS_EFF -> eff, clamped or not, now, last_clamped. Wall and
boot clocks in ms; BOOT_KEPT -1: restarted. "refused": outside of what exists.
P-010 to P-016.""")
    # written out by the rules of P-010..P-016, not by the C source
    TOP = 1 << 46

    def bound(ms):
        return max(0, min(ms, TOP))

    def tick(name, last, off, wk, bk, wall, boot):
        w = bound(wall)
        suspect = wk != 0 and w < wk - 2000
        if suspect:
            w = bound(wk + (bound(boot - bk) if bk >= 0 and boot > bk else 0))
        phys = bound(w + off) << 16
        out = phys if phys > last else last + 1
        f.put(name, ["tick", last, off, wk, bk, wall, boot],
              "ok %d %d" % (out, suspect), "")

    def learn(name, last, seen):
        out = last if seen >= 2 ** 63 - 1 else max(last, seen)
        f.put(name, ["learn", last, seen], "ok %d" % out, "")

    def admit(name, now, lc, wall, h, prev):
        n = max(now, bound(wall))
        limit = max(n + 60000 << 16, lc + 1)
        cut = h > limit
        eff = max(prev + 1, min(h, limit))
        f.put(name, ["admit", now, lc, wall, h, prev],
              "ok %d %d %d %d" % (eff, cut, n, eff if eff >= limit else lc), "")
    n = NOON
    tick("first", 0, 0, 0, -1, n, 5)
    tick("later", hlc(n), 0, n, 5, n + 10, 15)
    tick("same-millisecond", hlc(n, 3), 0, n, 5, n, 5)
    tick("counter-full-carries", hlc(n, 65535), 0, n, 5, n, 5)
    tick("offset", 0, -90000, n, 5, n, 5)
    tick("offset-below-1970", 7, -2 ** 45, n, 5, n, 5)
    tick("back-2-s-is-believed", hlc(n), 0, n, 5, n - 2000, 2005)
    tick("back-2001-ms-is-not", hlc(n), 0, n, 5, n - 2001, 2006)
    tick("back-ten-years", hlc(n), 0, n, 5, n - 315569520000, 1005)
    tick("back-after-restart", hlc(n), 0, n, -1, n - 86400000, 5)
    tick("ahead-ten-years", hlc(n), 0, n, 5, n + 315569520000, 1005)
    tick("before-1970", 5, 0, 0, -1, -86400000, 5)
    tick("year-4199-and-more", 5, 0, 0, -1, 2 ** 50, 5)
    tick("last-is-far-ahead", hlc(n + 10 ** 9), 0, n, 5, n + 1, 6)
    learn("above", hlc(n), hlc(n, 1))
    learn("below", hlc(n, 1), hlc(n))
    learn("damaged", hlc(n), 2 ** 63 - 1)
    learn("all-ones", hlc(n), 2 ** 64 - 1)
    admit("within", n, 0, n, hlc(n), 0)
    admit("at-the-limit", n, 0, n, hlc(n + 60000), 0)
    admit("one-above", n, 0, n, hlc(n + 60000, 1), 0)
    admit("301-s-ahead", n, 0, n, hlc(n + 301000), 0)
    admit("ten-years-ahead", n, 0, n, hlc(n + 315569520000), 0)
    admit("largest", n, 0, n, 2 ** 63 - 1, 0)
    admit("zero", n, 0, n, 0, 0)
    admit("not-rising", n, 0, n, hlc(n), hlc(n, 7))
    admit("equal-to-its-last", n, 0, n, hlc(n, 7), hlc(n, 7))
    admit("behind-its-last-clamped", n, hlc(n + 60000), n, hlc(n),
          hlc(n + 60000))
    admit("saw-a-clamped-one", n, hlc(n + 60000), n, hlc(n + 60000, 1), 0)
    admit("saw-two-clamped-ones", n, hlc(n + 60000, 1), n,
          hlc(n + 60000, 5), 0)
    admit("server-clock-back", n, 0, n - 86400000, hlc(n), 0)
    admit("server-clock-1970", n, 0, -5, hlc(n), 0)
    admit("server-clock-ahead", n, 0, n + 10 ** 9, hlc(n + 10 ** 9), 0)


def merges():
    f = Out("merge", """
Operations folded in this order into one record of kind 1; at the end its
canonical state. An operation: VERB:FIELD:VALUE@MS.COUNT:DEVICE:LSN:SEEN and
for RESOLVE the dots behind, +DEVICE:LSN. VALUE: t'text' (_ is a space), a
number, or null.
MS counts from 1795262400000. Fields: 1 lww text, 2 review phone (normal form phone),
3 set, 4 counter, 5 max, 6 min, 7 stage (a, b, c, d), 8 owner, 9 once,
10 review text; 500 is in no template. P-040 to P-066.""")
    born = "NEW@0.0:1:1:0"

    def m(name, *ops):
        f.good(name, *((born,) + ops))
    s1, s2 = "SET:1:t'a'@10.0:2:2:1", "SET:1:t'b'@20.0:3:3:1"
    m("born")
    m("lww-later-wins", s1, s2)
    m("lww-later-comes-first", "SET:1:t'b'@20.0:3:2:1",
      "SET:1:t'a'@10.0:2:3:1")
    m("lww-equal-stamps-device-decides", "SET:1:t'a'@10.0:3:2:1",
      "SET:1:t'b'@10.0:2:3:1")
    m("lww-same-value-moves-the-stamp", s1, "SET:1:t'a'@20.0:3:3:1")
    m("lww-cleared", s1, "SET:1:null@20.0:3:3:2")
    m("lww-own-later-op-of-a-commit", "SET:1:t'a'@10.0:2:2:1",
      "SET:1:t'b'@10.0:2:2:1")
    m("once-first-stays", "SET:9:t'fair'@20.0:2:2:1",
      "SET:9:t'web'@10.0:3:3:1")
    m("max-larger-stays", "SET:5:7@10.0:2:2:1", "SET:5:3@20.0:3:3:2")
    m("max-null-is-neither", "SET:5:7@10.0:2:2:1", "SET:5:null@20.0:3:3:2")
    m("max-equal-larger-stamp", "SET:5:7@10.0:2:2:1", "SET:5:7@20.0:3:3:1")
    m("min-smaller-stays", "SET:6:7@10.0:2:2:1", "SET:6:3@5.0:3:3:1")
    m("counter-adds", "ADD:4:5@10.0:2:2:1", "ADD:4:-2@9.0:3:3:1")
    m("counter-stops-at-the-top", "ADD:4:9223372036854775807@10.0:2:2:1",
      "ADD:4:5@11.0:2:3:1")
    m("counter-stops-at-the-bottom", "ADD:4:-9223372036854775808@10.0:2:2:1",
      "ADD:4:-1@11.0:2:3:1")
    m("owner-first", "REASSIGN:8:t'ann'@10.0:2:2:1")
    m("owner-who-saw-it", "REASSIGN:8:t'ann'@10.0:2:2:1",
      "REASSIGN:8:t'bob'@5.0:3:3:2")
    m("owner-who-did-not-is-late", "REASSIGN:8:t'ann'@10.0:2:2:1",
      "REASSIGN:8:t'bob'@99.0:3:3:1")
    v1, v2 = "MVSET:10:t'Acme'@10.0:2:2:1", "MVSET:10:t'Apex'@20.0:3:3:1"
    m("review-conflict", v1, v2)
    m("review-conflict-other-order", "MVSET:10:t'Apex'@20.0:3:2:1",
      "MVSET:10:t'Acme'@10.0:2:3:1")
    m("review-who-saw-it", v1, "MVSET:10:t'Apex'@5.0:3:3:2")
    m("review-three", v1, v2, "MVSET:10:t'Arc'@15.0:4:4:1")
    m("review-third-saw-one", v1, v2, "MVSET:10:t'Arc'@25.0:4:4:2")
    m("review-third-saw-both", v1, v2, "MVSET:10:t'Arc'@25.0:4:4:3")
    m("review-resolved", v1, v2, "RESOLVE:10:t'Acme'@30.0:4:4:1+2:2+3:3")
    m("review-resolved-alike-by-two", v1, v2,
      "RESOLVE:10:t'Acme'@30.0:4:4:3+2:2+3:3",
      "RESOLVE:10:t'Acme'@31.0:5:5:3+2:2+3:3")
    m("review-resolved-differently", v1, v2,
      "RESOLVE:10:t'Acme'@30.0:4:4:3+2:2+3:3",
      "RESOLVE:10:t'Apex'@31.0:5:5:3+2:2+3:3")
    m("review-resolve-of-one-dot", v1, v2,
      "RESOLVE:10:t'Acme'@30.0:4:4:1+2:2")
    m("review-resolve-of-a-stranger-dot", v1, v2,
      "RESOLVE:10:t'Acme'@30.0:4:4:1+9:9")
    m("review-equal-in-normal-form", "MVSET:2:t'13800000000'@10.0:2:2:1",
      "MVSET:2:t'138_0000_0000'@20.0:3:3:1")
    m("review-twin-stands-up", "MVSET:2:t'13800000000'@10.0:2:2:1",
      "MVSET:2:t'138_0000_0000'@20.0:3:3:1",
      "MVSET:2:t'13911111111'@30.0:3:4:2")
    m("review-own-again", v1, "MVSET:10:t'Apex'@20.0:2:3:1")
    a1, a2 = "SADD:3:t'vip'@10.0:2:2:1", "SADD:3:t'north'@11.0:2:3:1"
    m("set-two", a1, a2)
    m("set-added-by-two", a1, "SADD:3:t'vip'@11.0:3:3:1")
    m("set-removed", a1, "SREM:3:t'vip'@20.0:3:3:2")
    m("set-concurrent-add-wins", a1, "SREM:3:t'vip'@20.0:3:3:1")
    m("set-removes-only-what-it-saw", a1, "SADD:3:t'vip'@11.0:3:3:1",
      "SREM:3:t'vip'@20.0:4:4:2")
    m("set-removed-and-added-again", a1, "SREM:3:t'vip'@20.0:2:3:2",
      "SADD:3:t'vip'@30.0:2:4:3")
    m("set-remove-of-nothing", "SREM:3:t'vip'@20.0:3:2:1")
    m("stage-advances", "STAGE:7:t'a'@10.0:2:2:1", "STAGE:7:t'b'@20.0:2:3:2")
    m("stage-forks", "STAGE:7:t'a'@10.0:2:2:1", "STAGE:7:t'b'@20.0:2:3:2",
      "STAGE:7:t'c'@21.0:3:4:2")
    m("stage-one-goes-further", "STAGE:7:t'a'@10.0:2:2:1",
      "STAGE:7:t'b'@20.0:2:3:2", "STAGE:7:t'b'@21.0:3:4:2",
      "STAGE:7:t'c'@22.0:3:5:2")
    m("stage-same-target", "STAGE:7:t'a'@10.0:2:2:1",
      "STAGE:7:t'd'@20.0:2:3:2", "STAGE:7:t'd'@21.0:3:4:2")
    m("stage-settled", "STAGE:7:t'a'@10.0:2:2:1", "STAGE:7:t'b'@20.0:2:3:2",
      "STAGE:7:t'c'@21.0:3:4:2", "RESOLVE:7:t'c'@30.0:4:5:2+2:3+3:4")
    m("delete", s1, "DEL@20.0:2:3:2")
    m("delete-did-not-see-an-edit", s1, "DEL@20.0:3:3:1")
    m("edit-did-not-see-the-delete", "DEL@20.0:3:2:1", s1.replace(":2:1",
                                                                 ":3:1"))
    m("edit-that-saw-the-delete", "DEL@20.0:3:2:1", "SET:1:t'a'@30.0:2:3:2")
    m("delete-confirms", s1, "DEL@20.0:3:3:1", "DEL@30.0:2:4:3")
    m("delete-confirms-too-early", s1, "DEL@20.0:3:3:1", "DEL@30.0:2:4:2")
    m("restore", "DEL@20.0:3:2:1", "UNDEL@30.0:2:3:2")
    m("restore-and-concurrent-delete", "DEL@20.0:3:2:1", "UNDEL@30.0:2:3:2",
      "DEL@40.0:4:4:2")
    m("new-again", "NEW@50.0:2:2:1")
    m("unknown-field-is-lww", "SET:500:t'x'@10.0:2:2:1",
      "SET:500:t'y'@20.0:3:3:1")
    m("verb-that-does-not-fit", "SADD:1:t'x'@10.0:2:2:1",
      "ADD:2:5@11.0:2:3:1", "SET:3:t'x'@12.0:2:4:1")
    m("own-pending-on-top", s1, "SET:1:t'mine'@15.0:7:0:1")
    m("clock-far-behind-but-saw-it", "MVSET:10:t'Acme'@900.0:2:2:1",
      "MVSET:10:t'Apex'@1.0:3:3:2")
    m("seen-from-the-future", v1, "MVSET:10:t'Apex'@20.0:3:3:999999")
