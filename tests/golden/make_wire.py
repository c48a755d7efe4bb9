"""Commits, signatures, batches, messages."""
import struct

import make_more

from writer import (NOON, ORG, SUBJECT, Out, be32, be64, blake, dict_of,
                    flip, hlc, pattern, sint, span, uint, val)


# ---- commits ----------------------------------------------------------------

(NEW, SET, MVSET, SADD, SREM, ADD, STAGE, REASSIGN, DEL, UNDEL,
 RESOLVE) = range(1, 12)
NO_FIELD = (NEW, DEL, UNDEL)
OTHER = bytes.fromhex("01a1fd7c58000007") + pattern(8, 0x70)
TEMPLATE = pattern(20, 0x30)
PREV = pattern(32, 0x50)
SALT = pattern(16, 0x80)


def hchacha20(constants, key, data):
    """draft-irtf-cfrg-xchacha, with constants of choice."""
    s = list(struct.unpack("<16I", constants + key + data))

    def mix(to, of, turned, by):
        s[to] = (s[to] + s[of]) & 0xFFFFFFFF
        x = s[turned] ^ s[to]
        s[turned] = (x << by | x >> 32 - by) & 0xFFFFFFFF

    def quarter(a, b, c, d):
        mix(a, b, d, 16)
        mix(c, d, b, 12)
        mix(a, b, d, 8)
        mix(c, d, b, 7)
    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<8I", *(s[:4] + s[12:]))


def op(kind, rec, field=0, value=None, dots=(), rtype=1, seen=None):
    return dict(kind=kind, rec=rec, field=field, value=value, dots=dots,
                rtype=rtype, seen=seen)


def op_bytes(o, before, subject, head=None):
    same = before and before["rec"] == o["rec"] and \
        before["rtype"] == o["rtype"]
    subj = not same and o["rec"] == subject
    b = bytes([head if head is not None else
               o["kind"] | (0x80 if same else 0) | (0x40 if subj else 0)])
    if not same:
        b += uint(o["rtype"])
    if not same and not subj:
        b += o["rec"]
    if o["kind"] not in NO_FIELD:
        b += uint(o["field"]) + val(o["value"])
    if o["kind"] == RESOLVE:
        b += uint(len(o["dots"]))
        for dev, lsn in o["dots"]:
            b += uint(dev) + uint(lsn)
    return b


def payload(ops, salt=SALT, subject=SUBJECT):
    b = salt + uint(len(ops))
    for i, o in enumerate(ops):
        b += op_bytes(o, ops[i - 1] if i else None, subject)
    own = [i for i, o in enumerate(ops) if o["seen"] is not None]
    if own:
        b += uint(len(own))
    for i, before in zip(own, [-1] + own):
        b += uint(i - before - 1) + uint(ops[i]["seen"])
    return b


HEAD = dict(version=1, device=7, incarnation=1, cseq=300,
            hlc=hlc(NOON, 2), seen=70000, actor=12, subject=SUBJECT,
            template=TEMPLATE, flags=0, prev=PREV)


def header(pay, **over):
    h = dict(HEAD, **over)
    enc = over.get("enc", {})
    b = bytes([h["version"]])
    for k in ("device", "incarnation", "cseq"):
        b += enc.get(k, uint(h[k]))
    b += be64(h["hlc"])
    for k in ("seen", "actor"):
        b += enc.get(k, uint(h[k]))
    b += h["subject"] + h["template"] + bytes([h["flags"]])
    return b + h.get("hash", blake(pay)) + h["prev"]


SHORT = [op(SET, SUBJECT, 5, "x")]


def commits():
    f = Out("commit", """
One commit: canonical header, canonical payload ("-": erased).
Expected of a good one: its members, its operations, and the BLAKE2b-256 of
the header, which is `prev` of the next. P-020 to P-029.""")

    def good(name, ops, **over):
        p = payload(ops, subject=over.get("subject", SUBJECT))
        f.good(name, header(p, **over), p)

    def bad_op(name, why, raw):
        """`raw`: number of operations and the operations."""
        p = SALT + raw
        f.bad(name, why, header(p), p)

    def bad_head(name, why, **over):
        p = payload(SHORT)
        f.bad(name, why, header(p, **over), p)

    good("one-set", SHORT)
    good("create", [op(NEW, SUBJECT), op(SET, SUBJECT, 2, "Acme 公司"),
                    op(SET, SUBJECT, 3, 1250000),
                    op(MVSET, SUBJECT, 9, "+86 138 0000 0000"),
                    op(SADD, SUBJECT, 21, "vip"),
                    op(REASSIGN, SUBJECT, 28, "ann.lee")])
    good("all-verbs", [op(NEW, OTHER, rtype=2), op(SET, OTHER, 1, SUBJECT,
                                                   rtype=2),
                       op(MVSET, SUBJECT, 2, "a"), op(SADD, SUBJECT, 3, "t"),
                       op(SREM, SUBJECT, 3, "u"), op(ADD, SUBJECT, 4, -5),
                       op(STAGE, SUBJECT, 7, "won"),
                       op(REASSIGN, SUBJECT, 8, "bob"),
                       op(RESOLVE, SUBJECT, 2, "b", [(1, 5), (300, 70000)]),
                       op(DEL, OTHER, rtype=2), op(UNDEL, OTHER, rtype=2)])
    good("null-clears", [op(SET, SUBJECT, 5, None)])
    good("bytes-value", [op(SET, SUBJECT, 5, b"\0\xff")])
    good("empty-text", [op(SET, SUBJECT, 5, "")])
    good("smallest-integer", [op(SET, SUBJECT, 5, -2 ** 63)])
    good("largest-integer", [op(SET, SUBJECT, 5, 2 ** 63 - 1)])
    good("largest-field", [op(SET, SUBJECT, 1023, 1)])
    good("largest-kind-of-record", [op(SET, SUBJECT, 1, 1, rtype=65535)])
    good("same-record-other-kind", [op(SET, SUBJECT, 1, 1),
                                    op(SET, SUBJECT, 1, 1, rtype=2)])
    good("back-to-the-subject", [op(SET, SUBJECT, 1, 1), op(SET, OTHER, 1, 1),
                                 op(SET, SUBJECT, 1, 1)])
    good("resolve-without-dots", [op(RESOLVE, SUBJECT, 2, "b")])
    good("resolve-256-dots", [op(RESOLVE, SUBJECT, 2, "b",
                                 [(1, i) for i in range(256)])])
    good("dot-largest", [op(RESOLVE, SUBJECT, 2, "b",
                            [(2 ** 32 - 1, 2 ** 63 - 1)])])
    good("element-256-bytes", [op(SADD, SUBJECT, 3, "e" * 256)])
    good("markup-and-formula", [op(SET, SUBJECT, 5,
                                   "<script>alert(1)</script>"),
                                op(SET, SUBJECT, 6, "=HYPERLINK(\"x\")")])
    good("bidi-and-combining", [op(SET, SUBJECT, 5, "\u202eevil\u202c"),
                                op(SET, SUBJECT, 6, "e" + "\u0301" * 40)])
    good("not-in-normal-form", [op(SET, SUBJECT, 5, "e\u0301")])
    good("beyond-the-basic-plane", [op(SET, SUBJECT, 5, "\U0010ffff𠮷")])
    good("nothing-seen-of-one-record", [
        op(SREM, SUBJECT, 3, "u"), op(SET, OTHER, 1, "x", rtype=2, seen=0),
        op(SET, OTHER, 2, "y", rtype=2, seen=0)])
    good("seen-up-to-three-positions", [
        op(SET, SUBJECT, 1, 1, seen=2 ** 63 - 1), op(SET, OTHER, 1, 1),
        op(SET, SUBJECT, 2, 1, seen=70001)])
    good("flags-both", SHORT, flags=3)
    good("largest-header", SHORT, device=2 ** 32 - 1,
         incarnation=2 ** 32 - 1, cseq=2 ** 63 - 1, hlc=2 ** 63 - 1,
         seen=2 ** 63 - 1, actor=2 ** 32 - 1)
    good("smallest-header", SHORT, device=1, incarnation=0, cseq=1, hlc=1,
         seen=0, actor=0, prev=bytes(32))
    good("clock-ten-years-ahead", SHORT, hlc=hlc(NOON + 315569520000))
    p = payload(SHORT)
    f.good("erased-payload", header(p), b"")

    bad_head("version-0", "unknown version", version=0)
    bad_head("version-2", "unknown version", version=2)
    bad_head("no-number", "no number", cseq=0)
    bad_head("number-2-63", "no number", cseq=2 ** 63)
    bad_head("stamp-0", "stamp or position out of range", hlc=0)
    bad_head("stamp-2-63", "stamp or position out of range", hlc=2 ** 63)
    bad_head("stamp-all-ones", "stamp or position out of range",
             hlc=2 ** 64 - 1)
    bad_head("seen-2-63", "stamp or position out of range", seen=2 ** 63)
    bad_head("device-2-32", "above its limit", device=2 ** 32)
    bad_head("incarnation-2-32", "above its limit",
             incarnation=2 ** 32)
    bad_head("actor-2-32", "above its limit", actor=2 ** 32)
    bad_head("no-subject", "no subject", subject=bytes(16))
    bad_head("flag-unknown", "unknown flag", flags=0x20)
    bad_head("flag-top", "unknown flag", flags=0x80)
    bad_head("varint-too-long", "bad varint",
             enc={"device": b"\x87\x00"})
    bad_head("varint-eleven-bytes", "bad varint",
             enc={"seen": b"\xff" * 10 + b"\x01"})
    bad_head("varint-above-64-bits", "bad varint",
             enc={"cseq": b"\xff" * 9 + b"\x02"})
    h = header(p)
    f.bad("header-empty", "cut short", b"", p)
    f.bad("header-cut-in-stamp", "cut short", h[:9], p)
    f.bad("header-cut-in-hash", "cut short", h[:-40], p)
    f.bad("header-cut-by-one", "cut short", h[:-1], p)
    f.bad("header-one-byte-more", "bytes left over", h + b"\0", p)
    f.bad("hash-bit-flipped", "payload does not fit",
          header(p, hash=flip(blake(p), 31)), p)
    f.bad("salt-bit-flipped", "payload does not fit", h, flip(p, 0))
    f.bad("value-bit-flipped", "payload does not fit", h, flip(p, len(p) - 1))
    f.bad("payload-of-another", "payload does not fit", h,
          payload([op(SET, SUBJECT, 5, "y")]))
    f.bad("payload-cut", "payload does not fit", h, p[:-1])
    f.bad("payload-longer", "payload does not fit", h, p + b"\0")

    one = op_bytes(SHORT[0], None, SUBJECT)
    bad_op("no-operations", "bad number of operations", b"\0")
    bad_op("more-operations-than-bytes", "bad number of operations",
           uint(4096) + one)
    bad_op("operations-4097", "above its limit", uint(4097) + one)
    bad_op("two-announced-one-there", "cut short", b"\2" + one)
    bad_op("list-of-positions-empty", "empty list", b"\1" + one + b"\0")
    bad_op("positions-above-operations", "above its limit",
           b"\1" + one + b"\2\0\0\0\0")
    bad_op("position-of-no-operation", "position of no operation",
           b"\1" + one + b"\1\1\0")
    bad_op("position-twice", "position of no operation",
           b"\2" + one + b"\x82\6\2\1x\2\1\0\0\0")
    bad_op("position-of-the-header", "not in its shortest form",
           b"\1" + one + b"\1\0" + uint(70000))
    bad_op("position-2-63", "above its limit",
           b"\1" + one + b"\1\0" + uint(2 ** 63))
    bad_op("position-missing", "cut short", b"\1" + one + b"\1\0")
    bad_op("bytes-behind-the-last", "bytes left over",
           b"\1" + one + b"\1\0\0\0")
    bad_op("kind-0", "unknown operation",
           b"\1" + op_bytes(SHORT[0], None, SUBJECT, head=0x40))
    bad_op("kind-31", "unknown operation",
           b"\1" + op_bytes(SHORT[0], None, SUBJECT, head=0x5F))
    bad_op("record-kind-0", "no record kind",
           b"\1" + op_bytes(op(SET, SUBJECT, 5, "x", rtype=0), None, SUBJECT))
    bad_op("record-kind-65536", "above its limit",
           b"\1" + op_bytes(op(SET, SUBJECT, 5, "x", rtype=65536), None,
                            SUBJECT))
    bad_op("record-zero", "no record",
           b"\1" + op_bytes(op(SET, bytes(16), 5, "x"), None, SUBJECT))
    bad_op("field-0", "bad field",
           b"\1" + op_bytes(op(SET, SUBJECT, 0, "x"), None, SUBJECT))
    bad_op("field-1024", "bad field",
           b"\1" + op_bytes(op(SET, SUBJECT, 1024, "x"), None, SUBJECT))
    bad_op("first-says-same", "bad operation head", b"\1\x82\5\2\1x")
    bad_op("same-and-subject", "bad operation head",
           b"\2" + one + b"\xc2\5\2\1x")
    bad_op("same-not-said", "not in its shortest form",
           b"\2" + one + b"\x42\1\6\2\1x")
    bad_op("subject-not-said", "not in its shortest form",
           b"\1\2\1" + SUBJECT + b"\5\2\1x")
    bad_op("value-type-4", "unknown value type", b"\1\x42\1\5\4\0")
    bad_op("text-longer-than-payload", "cut short", b"\1\x42\1\5\2\x7fx")
    bad_op("text-announces-2-62", "above its limit",
           b"\1\x42\1\5\2" + uint(2 ** 62) + b"x")
    bad_op("text-65537", "above its limit",
           b"\1\x42\1\5\2" + uint(65537) + b"x" * 65537)

    def text(name, raw):
        bad_op(name, "text is not UTF-8", b"\1\x42\1\5\2" + span(raw))
    text("text-nul", b"a\0b")
    text("text-latin-1", b"caf\xe9")
    text("text-overlong", b"\xc0\xaf")
    text("text-overlong-3", b"\xe0\x80\xaf")
    text("text-surrogate", b"\xed\xa0\x80")
    text("text-above-10ffff", b"\xf4\x90\x80\x80")
    text("text-cut-character", b"\xe5\x85")
    text("text-lone-continuation", b"\x80")
    bad_op("element-empty", "bad set element",
           b"\1" + op_bytes(op(SADD, SUBJECT, 3, ""), None, SUBJECT))
    bad_op("element-257", "bad set element",
           b"\1" + op_bytes(op(SADD, SUBJECT, 3, "e" * 257), None, SUBJECT))
    bad_op("element-with-line-feed", "bad set element",
           b"\1" + op_bytes(op(SREM, SUBJECT, 3, "a\nb"), None, SUBJECT))
    bad_op("element-number", "bad set element",
           b"\1" + op_bytes(op(SADD, SUBJECT, 3, 5), None, SUBJECT))
    bad_op("delta-text", "delta is no number",
           b"\1" + op_bytes(op(ADD, SUBJECT, 4, "5"), None, SUBJECT))
    bad_op("stage-null", "bad stage",
           b"\1" + op_bytes(op(STAGE, SUBJECT, 7, None), None, SUBJECT))
    bad_op("stage-257", "bad stage",
           b"\1" + op_bytes(op(STAGE, SUBJECT, 7, "s" * 257), None, SUBJECT))
    bad_op("dots-257", "above its limit",
           b"\1" + op_bytes(op(RESOLVE, SUBJECT, 2, "b",
                               [(1, 1)] * 257), None, SUBJECT))
    bad_op("dot-lsn-2-63", "above its limit",
           b"\1" + op_bytes(op(RESOLVE, SUBJECT, 2, "b", [(1, 2 ** 63)]),
                            None, SUBJECT))
    bad_op("integer-too-long", "bad varint",
           b"\1\x42\1\5\1\x80\x00")


def signing():
    from cryptography.hazmat.primitives.asymmetric.ed25519 import \
        Ed25519PrivateKey
    f = Out("signature", """
A batch signature: public key, organisation, device, incarnation, first and
last number, hash of the last header, signature. P-023.""")
    sk = Ed25519PrivateKey.from_private_bytes(pattern(32, 1))
    pk = sk.public_key().public_bytes_raw()
    head = blake(b"head")

    def msg(org=ORG, dev=7, inc=1, first=300, last=310, h=head,
            label=b"satchel batch 1\n"):
        return label + org + be32(dev) + be32(inc) + be64(first) + \
            be64(last) + h
    sig = sk.sign(msg())

    def line(pk=pk, org=ORG, dev=7, inc=1, first=300, last=310, h=head,
             s=sig):
        return [pk, org, dev, inc, first, last, h, s]
    f.good("good", *line())
    f.good("one-commit", *line(first=1, last=1, s=sk.sign(msg(first=1,
                                                             last=1))))

    def bad(name, **over):
        f.bad(name, "", *line(**over), code="integrity")
    bad("bit-of-the-signature", s=flip(sig, 0))
    bad("last-bit-of-the-signature", s=flip(sig, 63, 0x80))
    bad("other-organisation", org=flip(ORG, 3))
    bad("other-device", dev=8)
    bad("other-incarnation", inc=2)
    bad("first-too-small", first=299)
    bad("last-too-large", last=311)
    bad("other-head", h=flip(head, 5))
    bad("other-key", pk=Ed25519PrivateKey.from_private_bytes(
        pattern(32, 2)).public_key().public_bytes_raw())
    bad("key-of-small-order", pk=bytes([1]) + bytes(31),
        s=bytes([1]) + bytes(63))
    bad("key-zero", pk=bytes(32))
    bad("signature-zero", s=bytes(64))
    bad("without-the-label", s=sk.sign(msg(label=b"")))
    bad("label-of-another-kind", s=sk.sign(msg(label=b"satchel batch 2\n")))
    # s + order: the same equation, another signature
    order = 2 ** 252 + 27742317777372353535851937790883648493
    s = int.from_bytes(sig[32:], "little") + order
    bad("malleable", s=sig[:32] + s.to_bytes(32, "little"))


# ---- batches ----------------------------------------------------------------

(C_FLAGS, C_TEMPLATE, C_MS, C_COUNT, C_SEEN, C_ACTOR, C_LSN, C_DEVICE,
 C_INCARNATION, C_CSEQ, C_SUBJECT, C_NOPS, C_SHAPE, C_SHAPES, C_REC, C_DOTS,
 C_NAMED, C_EID, C_ID, C_INTS, C_LENS, C_BYTES, C_ECHOES,
 C_SALTS, C_SEEN_OP, C_N) = range(26)


def block(cols, n=C_N, mask=None, lens=None):
    m = sum(1 << i for i in range(n) if cols.get(i))
    b = uint(m if mask is None else mask)
    for i in range(n):
        if cols.get(i):
            b += uint(len(cols[i]) if lens is None or i not in lens
                      else lens[i])
    for i in range(n):
        b += cols.get(i, b"")
    return b


def plain(cols, loose=b"", **kw):
    return b"\0" + span(block(cols, **kw)) + loose


def zstd_rle(size, byte=b"\0", claim=None):
    """A zstd frame of runs: 128 KiB each take four bytes."""
    claim = size if claim is None else claim
    b = b"\x28\xb5\x2f\xfd" + b"\xe0" + struct.pack("<Q", claim)
    left = size
    while left > 0:
        n = min(left, 128 * 1024)
        left -= n
        b += struct.pack("<I", (n << 3) | (1 << 1) | (left == 0))[:3] + byte
    return b


def zstd_raw(data):
    b = b"\x28\xb5\x2f\xfd" + b"\xe0" + struct.pack("<Q", len(data))
    return b + struct.pack("<I", (len(data) << 3) | 1)[:3] + data


def id_front(i, before=bytes(16)):
    return sint(int.from_bytes(i[:6], "big") - int.from_bytes(
        before[:6], "big")) + sint(int.from_bytes(i[6:8], "big") -
                                   int.from_bytes(before[6:8], "big"))


def push_cols(**over):
    """One commit, SET text of field 5 of the record with eid 9."""
    c = {C_FLAGS: b"\x40", C_TEMPLATE: TEMPLATE, C_MS: sint(NOON),
         C_COUNT: sint(2), C_SEEN: sint(70000), C_ACTOR: sint(12),
         C_SUBJECT: b"\1", C_NOPS: b"\1", C_SHAPE: b"\2",
         C_SHAPES: b"\1\5\2\2", C_REC: b"\0", C_NAMED: b"\1",
         C_EID: sint(9), C_LENS: b"\1", C_BYTES: b"x"}
    c.update(over.pop("cols", {}))
    return c


def pull_cols(cols=None):
    c = push_cols()
    c.update({C_LSN: sint(99), C_DEVICE: sint(7), C_INCARNATION: sint(1),
              C_CSEQ: sint(299)})
    c.update(cols or {})
    return c


def batches():
    f = Out("batch", """
A batch of commits: "push" or "pull", its bytes. Columns: docs/protocol.md,
Batches. Expected of a good one: the commits. P-030 to P-039.""")

    def good(name, d, cols, loose=None):
        f.good(name, d, plain(cols, SALT if loose is None and d == "push"
                              else loose or b""))

    def bad(name, why, d, cols, loose=None, **kw):
        f.bad(name, why, d, plain(cols, SALT if loose is None and
                                  d == "push" else loose or b"", **kw))
    good("push-one", "push", push_cols())
    good("pull-one", "pull", pull_cols())
    f.good("push-one-packed", "push", b"\1" + span(zstd_raw(block(
        push_cols()))) + SALT)
    named = {C_NAMED: b"\2", C_ID: id_front(SUBJECT), C_EID: b""}
    good("push-by-id", "push", push_cols(cols=named), SUBJECT[8:] + SALT)
    good("pull-new-tells-the-eid", "pull", pull_cols(
        {C_NAMED: b"\3", C_ID: id_front(SUBJECT), C_NOPS: b"\2",
         C_SHAPE: b"\2\3", C_SHAPES: b"\1\0\1\0" + b"\1\5\2\2",
         C_REC: b"\0\0"}), SUBJECT[8:])
    good("pull-own", "pull", pull_cols(
        {C_FLAGS: b"\xc0", C_NOPS: b"\0", C_SHAPE: b"", C_SHAPES: b"",
         C_REC: b"", C_LENS: b"", C_BYTES: b""}))
    two = push_cols(cols={
        C_FLAGS: b"\x40\0", C_MS: sint(NOON) + sint(30000),
        C_COUNT: sint(2) + sint(0), C_SEEN: sint(70000) + sint(0),
        C_ACTOR: sint(12) + sint(0), C_SUBJECT: b"\1\0", C_NOPS: b"\1\1",
        C_SHAPE: b"\2\2", C_REC: b"\0\0", C_LENS: b"\1\2", C_BYTES: b"xyz"})
    good("push-two", "push", two, SALT * 2)
    same_ms = dict(two)
    same_ms[C_MS] = sint(NOON) + sint(0)
    seed = pattern(16, 0xD0)

    def derived(at, stamp):
        return hchacha20(b"expand 16-byte k", seed + seed,
                         be64(at) + be64(stamp))[:16]
    own = derived(5, hlc(NOON, 2)) + derived(6, hlc(NOON + 30000))
    good("push-two-salts-of-a-seed-themselves", "push", two, own)
    runs = dict_of(two, {C_SALTS: uint(2) + uint(6)})
    good("push-two-salts-from-the-seed", "push", runs, seed)
    good("push-one-salt-own-one-from-the-seed", "push", dict_of(
        two, {C_SALTS: uint(1) + uint(0) + uint(1) + uint(7)}), SALT + seed)
    good("push-two-in-one-millisecond", "push", same_ms, SALT * 2)
    ints = push_cols(cols={
        C_NOPS: b"\3", C_SHAPE: b"\2\2\2", C_SHAPES: b"\1\5\2\1",
        C_REC: b"\0\0\0", C_LENS: b"", C_BYTES: b"",
        C_INTS: sint(NOON) + uint(86400000) + b"\0" + sint(1) + sint(-3)})
    good("integers-in-days", "push", ints)
    far = [500, 0, 510, 7, 490, 3]  # from the least, in twos
    spread = push_cols(cols={
        C_NOPS: b"\6", C_SHAPE: b"\2" * 6, C_SHAPES: b"\1\5\2\1",
        C_REC: b"\0" * 6, C_LENS: b"", C_BYTES: b"",
        C_INTS: sint(-20 + 2 * far[0]) + uint(2) + b"\2" + uint(far[0]) +
        bytes(x >> 8 for x in far[1:]) + bytes(x & 255 for x in far[1:])})
    good("integers-spread-over-a-range", "push", spread)
    good("null-and-resolve", "push", push_cols(cols={
        C_NOPS: b"\2", C_SHAPE: b"\2\3",
        C_SHAPES: b"\1\5\2\0" + b"\1\2\x0b\2", C_REC: b"\0\0",
        C_DOTS: b"\2\1\5\3\x86\x01"}))
    good("two-records", "push", push_cols(cols={
        C_NOPS: b"\2", C_SHAPE: b"\2\2", C_REC: b"\0\1", C_NAMED: b"\1\2",
        C_ID: id_front(OTHER), C_LENS: b"\1\1", C_BYTES: b"xy"}),
        OTHER[8:] + SALT)

    three = {C_NOPS: b"\3", C_SHAPE: b"\2\2\2", C_REC: b"\0\0\0",
             C_LENS: b"\1\1\1", C_BYTES: b"xyz"}
    good("push-two-positions", "push", push_cols(cols=dict_of(
        three, {C_SEEN_OP: b"\0\0" + b"\1" + uint(70001)})))
    good("pull-one-position", "pull", pull_cols(dict_of(
        three, {C_SEEN_OP: b"\1" + uint(2 ** 63 - 1)})))
    over = dict_of(two, {C_SEEN_OP: b"\1\5"})
    good("push-position-in-the-second", "push", over, SALT * 2)

    bad("position-of-no-operation", "position of no operation", "push",
        dict_of(push_cols(), {C_SEEN_OP: b"\1\0"}))
    bad("position-of-the-commit", "not in its shortest form", "push",
        dict_of(push_cols(), {C_SEEN_OP: b"\0" + uint(70000)}))
    bad("position-missing", "cut short", "push",
        dict_of(push_cols(), {C_SEEN_OP: b"\0"}))
    bad("position-2-63", "above its limit", "push",
        dict_of(push_cols(), {C_SEEN_OP: b"\0" + uint(2 ** 63)}))

    f.bad("empty", "bad front", "push", b"")
    f.bad("format-2", "bad front", "push", b"\2" + plain(push_cols(),
                                                         SALT)[1:])
    f.bad("span-longer-than-frame", "bad front", "push", b"\0\x7f\0")
    f.bad("span-announces-2-62", "bad front", "push",
          b"\0" + uint(2 ** 62) + b"\0")
    f.bad("block-empty", "cut short", "push", b"\0\0")
    f.bad("mask-zero", "number of commits", "push", b"\0\1\0")
    f.bad("column-beyond-the-last", "above its limit", "push",
          plain(push_cols(), SALT, mask=1 << C_N | 1))
    bad("column-empty", "empty column", "push", push_cols(),
        lens={C_FLAGS: 0})
    bad("column-length-2-62", "cut short", "push", push_cols(),
        lens={C_BYTES: 2 ** 62})
    bad("columns-one-byte-short", "cut short", "push", push_cols(),
        lens={C_BYTES: 2})
    f.bad("block-byte-left-over", "bytes left over", "push",
          b"\0" + span(block(push_cols()) + b"\0") + SALT)
    f.bad("packed-is-no-zstd", "no compressed block", "push",
          b"\1" + span(b"hello, world") + SALT)
    f.bad("packed-cut", "more than one compressed block", "push",
          b"\1" + span(zstd_raw(block(push_cols()))[:-3]) + SALT)
    f.bad("packed-twice", "more than one compressed block", "push",
          b"\1" + span(zstd_raw(block(push_cols())) * 2) + SALT)
    f.bad("packed-checks-no-size", "no compressed block", "push",
          b"\1" + span(b"\x28\xb5\x2f\xfd\0\x58\1\0\0") + SALT)
    f.bad("bomb-2-mib-and-one", "block above its limit", "push",
          b"\1" + span(zstd_rle(2 * 1024 * 1024 + 1)) + SALT)
    f.bad("bomb-64-mib", "block above its limit", "push",
          b"\1" + span(zstd_rle(64 * 1024 * 1024)) + SALT)
    f.bad("bomb-claims-little", "damaged compressed block", "push",
          b"\1" + span(zstd_rle(64 * 1024 * 1024, claim=100)) + SALT)
    f.bad("bomb-claims-2-62", "block above its limit", "push",
          b"\1" + span(zstd_rle(1024, claim=2 ** 62)) + SALT)
    f.bad("run-of-zeros-as-block", "number of commits", "push",
          b"\1" + span(zstd_rle(1)) + SALT)
    bad("salts-of-nobody", "empty run", "push", dict_of(
        runs, {C_SALTS: uint(0) + uint(6)}), seed)
    bad("salts-of-three", "above its limit", "push", dict_of(
        runs, {C_SALTS: uint(3) + uint(6)}), seed)
    bad("salts-of-one", "cut short", "push", dict_of(
        runs, {C_SALTS: uint(1) + uint(6)}), seed)
    bad("salts-left-over", "bytes left over", "push", dict_of(
        runs, {C_SALTS: uint(2) + uint(6) + uint(1)}), seed)
    bad("seed-cut", "cut short", "push", runs, seed[:-1])
    bad("seed-number-2-63", "above its limit", "push", dict_of(
        runs, {C_SALTS: uint(2) + uint(2 ** 63)}), seed)
    bad("pull-with-seeds", "bytes left over", "pull", pull_cols(
        {C_SALTS: uint(1) + uint(1)}))
    bad("no-salt", "cut short", "push", push_cols(), b"")
    bad("salt-cut", "cut short", "push", push_cols(), SALT[:-1])
    bad("loose-left-over", "bytes left over", "push", push_cols(),
        SALT + b"\0")
    bad("pull-with-a-salt", "bytes left over", "pull", pull_cols(), SALT)
    bad("push-as-pull", "cut short", "pull", push_cols())
    bad("pull-as-push", "bytes left over", "push", pull_cols(), SALT)
    bad("commits-4097", "number of commits", "push",
        push_cols(cols={C_FLAGS: b"\0" * 4097}))
    bad("operations-none", "no operation", "push",
        push_cols(cols={C_NOPS: b"\0"}))
    bad("operations-4097", "above its limit", "push",
        push_cols(cols={C_NOPS: uint(4097)}))
    bad("operations-above-references", "too many operations", "push",
        push_cols(cols={C_NOPS: b"\2"}))
    bad("own-with-operations", "operations of an own commit", "pull",
        pull_cols({C_FLAGS: b"\xc0"}))
    bad("own-in-a-push", "unknown flag", "push",
        push_cols(cols={C_FLAGS: b"\xc0"}))
    bad("flag-unknown", "unknown flag", "push",
        push_cols(cols={C_FLAGS: b"\x60"}))
    bad("template-missing", "cut short", "push",
        push_cols(cols={C_TEMPLATE: b""}))
    bad("template-twice", "bytes left over", "push",
        push_cols(cols={C_TEMPLATE: TEMPLATE * 2}))
    bad("stamp-zero", "bad header", "push",
        push_cols(cols={C_MS: sint(0), C_COUNT: sint(0)}))
    bad("stamp-negative", "stamp out of range", "push",
        push_cols(cols={C_MS: sint(-1)}))
    bad("stamp-2-47-ms", "stamp out of range", "push",
        push_cols(cols={C_MS: sint(2 ** 47)}))
    bad("counter-65536", "stamp out of range", "push",
        push_cols(cols={C_COUNT: sint(65536)}))
    bad("counter-negative", "stamp out of range", "push",
        push_cols(cols={C_COUNT: sint(-1)}))
    bad("seen-negative", "number out of range", "push",
        push_cols(cols={C_SEEN: sint(-1)}))
    bad("actor-2-32", "number out of range", "push",
        push_cols(cols={C_ACTOR: sint(2 ** 32)}))
    bad("lsn-negative", "number out of range", "pull",
        pull_cols({C_LSN: sint(-2)}))
    bad("subject-zero-is-nobody", "bad reference", "push",
        push_cols(cols={C_SUBJECT: b"\0"}))
    bad("reference-beyond", "bad reference", "push",
        push_cols(cols={C_REC: b"\5"}))
    bad("reference-before-the-first", "bad reference", "push",
        push_cols(cols={C_SUBJECT: b"\2"}))
    bad("record-unused", "unused record", "push",
        push_cols(cols={C_NAMED: b"\1\1", C_EID: sint(9) + sint(1)}))
    bad("record-without-a-name", "record without a name", "push",
        push_cols(cols={C_NAMED: b"\0", C_EID: b""}))
    bad("record-named-4", "record without a name", "push",
        push_cols(cols={C_NAMED: b"\4", C_EID: b""}))
    bad("records-more-than-uses", "more records than references", "push",
        push_cols(cols={C_NAMED: b"\1" * 9}))
    bad("eid-2-32", "number out of range", "push",
        push_cols(cols={C_EID: sint(2 ** 32)}))
    bad("eid-0", "bad header", "push", push_cols(cols={C_EID: sint(0)}))
    bad("id-out-of-range", "id out of range", "push",
        push_cols(cols=dict_of(named, {C_ID: sint(2 ** 48) + sint(0)})),
        SUBJECT[8:] + SALT)
    bad("id-zero", "bad header", "push", push_cols(
        cols=dict_of(named, {C_ID: sint(0) + sint(0)})), bytes(8) + SALT)
    bad("shape-missing", "cut short", "push",
        push_cols(cols={C_SHAPE: b""}))
    bad("shape-0-first", "operation without a shape", "push",
        push_cols(cols={C_SHAPE: b"\0"}))
    bad("shape-end", "operation without a shape", "push",
        push_cols(cols={C_SHAPE: b"\1"}))
    bad("shape-beyond", "above its limit", "push",
        push_cols(cols={C_SHAPE: b"\x09"}))
    bad("shape-not-in-table", "too many shapes", "push",
        push_cols(cols={C_SHAPES: b""}))
    bad("shape-value-type-4", "unknown value type", "push",
        push_cols(cols={C_SHAPES: b"\1\5\2\4"}))
    bad("shape-unused", "bytes left over", "push",
        push_cols(cols={C_SHAPES: b"\1\5\2\2" * 2}))
    bad("kind-31", "unknown operation", "push",
        push_cols(cols={C_SHAPES: b"\1\5\x1f\2"}))
    bad("record-kind-0", "no record kind", "push",
        push_cols(cols={C_SHAPES: b"\0\5\2\2"}))
    bad("field-0", "bad field", "push",
        push_cols(cols={C_SHAPES: b"\1\0\2\2"}))
    bad("field-1024", "bad field", "push",
        push_cols(cols={C_SHAPES: b"\1\x80\x08\2\2"}))
    bad("text-not-utf-8", "text is not UTF-8", "push",
        push_cols(cols={C_BYTES: b"\xff"}))
    bad("text-nul", "text is not UTF-8", "push",
        push_cols(cols={C_BYTES: b"\0"}))
    bad("text-65537", "above its limit", "push",
        push_cols(cols={C_LENS: uint(65537), C_BYTES: b"x" * 65537}))
    bad("length-left-over", "bytes left over", "push",
        push_cols(cols={C_LENS: b"\1\0"}))
    bad("bytes-left-over", "bytes left over", "push",
        push_cols(cols={C_BYTES: b"xy"}))
    bad("integers-left-over", "bytes left over", "push",
        push_cols(cols={C_INTS: b"\0"}))
    bad("integer-unit-2-63", "above its limit", "push",
        dict_of(ints, {C_INTS: sint(0) + uint(2 ** 63) + b"\0" + sint(1) +
                       sint(1)}))
    bad("integers-of-nine-bytes", "integers of more than eight bytes", "push",
        dict_of(ints, {C_INTS: sint(0) + uint(1) + b"\x09" + uint(0) +
                       bytes(18)}))
    bad("integers-spread-cut-short", "cut short", "push", dict_of(
        spread, {C_INTS: spread[C_INTS][:-1]}))
    bad("dots-above-bytes", "more dots than bytes", "push", push_cols(cols={
        C_SHAPES: b"\1\2\x0b\2", C_DOTS: uint(256)}))
    bad("dots-257", "above its limit", "push", push_cols(cols={
        C_SHAPES: b"\1\2\x0b\2", C_DOTS: uint(257) + b"\1\1" * 257}))


# ---- messages ---------------------------------------------------------------

def hello(**over):
    m = dict(pmin=uint(1), pmax=uint(1), device=uint(7),
             inc=uint(1), cursor=uint(1234), epoch=uint(2), ledger=uint(5),
             rev=uint(3), template=TEMPLATE, wall=sint(NOON),
             permit=sint(0), features=uint(3), unsent_inc=uint(0),
             unsent=uint(0))
    m.update(over)
    m.setdefault("known", m["wall"])  # nothing is known of others
    return b"\1" + b"".join(m.values())


def messages():
    f = Out("message", """
A frame of a session, after the channel opened it: type byte and body.
Expected of a good one: its members. P-070 to P-079, P-100 to P-105.""")
    f.good("hello", hello())
    f.good("hello-first-time", hello(inc=uint(0), cursor=uint(0),
                                     rev=uint(0), template=bytes(20)))
    f.good("hello-clock-before-1970", hello(wall=sint(-5)))
    welcome = b"\2\1" + sint(NOON) + uint(5000) + uint(4990) + uint(4000) + \
        uint(1) + uint(300) + uint(4) + uint(5) + b"\0" + TEMPLATE + \
        b"\0\0\0\0"
    can = uint(3) + b"\0"  # features, no report of another device
    f.good("welcome", welcome + can)
    f.good("hello-of-a-later-release", hello(features=uint(1 << 40)) + b"\0" +
           b"more")
    f.good("welcome-of-a-later-release", welcome + can + b"\0" + b"and more")
    f.good("hello-with-answers-known", hello() + uint(70000))
    answer = uint(70001) + be64(hlc(NOON, 1)) + ORG + uint(1) + b"\1" + \
        uint(4) + sint(NOON)
    f.good("welcome-with-answers", welcome + can + b"\2" + answer + answer)
    f.bad("welcome-answers-65", "count", welcome + can + uint(65) +
          answer * 65)
    f.bad("welcome-answer-before-1970", "answer", welcome + can + b"\1" +
          answer[:-len(sint(NOON))] + sint(-1))
    f.good("welcome-template-as-in-hello", welcome[:-25] + b"\1\0\0\0\0" +
           can)
    f.bad("welcome-template-2", "boolean", welcome[:-25] +
          b"\2\0\0\0\0" + can)
    f.good("welcome-of-a-restored-server", welcome[:-4] + b"\2" +
           span(b"certificate") + span(b"another") + b"\0\0\0" + can)
    f.good("welcome-with-a-permit", welcome[:-3] + span(b"permit") + b"\0\0" +
           can)
    f.good("welcome-of-a-shortened-log", welcome[:-2] + uint(4000) + b"\0" +
           can)
    f.good("welcome-with-a-sum", welcome[:-1] + b"\1" + pattern(16, 0xE0) +
           can)
    f.good("hello-with-work-not-sent", hello(unsent_inc=uint(2),
                                             unsent=uint(301)))
    f.bad("hello-unsent-2-63", "above its limit", hello(unsent=uint(2 ** 63)))
    f.good("hello-that-knows-of-others", hello(known=sint(90000)))
    f.good("hello-behind-the-servers-clock", hello(known=sint(-5)))
    f.bad("hello-known-before-1970", "revision", hello(known=sint(NOON + 1)))
    news = welcome + uint(3) + b"\2" + sint(-5)
    f.good("welcome-with-news-of-others", news + uint(3) + sint(5) +
           uint(300) + sint(0))
    f.bad("welcome-news-before-1970", "revision", welcome + uint(3) +
          b"\1" + sint(NOON + 1) + b"\3\0")
    f.bad("welcome-news-at-2-63", "revision", welcome + uint(3) +
          b"\1" + sint(NOON - 2 ** 63) + b"\3\0")
    f.bad("welcome-news-above-bytes", "count", welcome + uint(3) + b"\3\0")
    f.bad("welcome-reported-before-1970", "instant", news + uint(3) +
          sint(NOON + 6) + uint(4) + sint(1))
    batch = plain(push_cols(), SALT)
    behind = b"\0\0"  # no gap, no old positions
    push = b"\3" + uint(1) + uint(300) + PREV + pattern(64, 0x90) + \
        span(batch) + behind
    f.good("push", push)
    f.good("push-empty-batch", b"\3\1\1" + PREV + bytes(64) + b"\0" + behind)
    f.good("push-after-a-lost-server", push[:-2] + b"\1\2\2" + uint(70000) +
           uint(90000) + b"\0" + b"\0\0")
    f.good("push-of-what-had-another-number", push[:-2] + b"\1\1\0\2" +
           uint(1) + uint(290) + uint(1) + uint(280))
    verdicts = b"\4" + uint(3) + b"\0" + sint(300) + sint(5001) + \
        be64(hlc(NOON, 2)) + b"\2" + sint(1) + sint(1) + be64(hlc(NOON, 3)) + \
        b"\3" + sint(1) + uint(2) + span(b"denied") + \
        span(b"ASK_MANAGER") + uint(1) + OTHER + uint(77) + uint(0) + b"\0"
    f.good("verdicts", verdicts)
    f.good("verdicts-stamps-as-sent", b"\4\2\x80" + sint(300) + sint(5001) +
           b"\x82" + sint(1) + sint(1) + b"\0\0\0")
    f.bad("verdicts-refused-as-sent", "verdict", b"\4\1\x83" + sint(300) +
          b"\0\0\0\0\0\0")
    f.bad("verdicts-stamp-0", "stamp", b"\4\1\0" + sint(300) + sint(5001) +
          be64(0) + b"\0\0\0")
    f.good("verdicts-renumbered", b"\4\1\xc0" + sint(300) + sint(5001) +
           uint(3) + span(b"RENUMBERED=C202405021") + b"\0\0\0")
    f.bad("verdicts-hint-empty", "hint", b"\4\1\xc0" + sint(300) +
          sint(5001) + uint(3) + b"\0\0\0\0")
    f.bad("verdicts-refused-with-two-hints", "verdict", b"\4\1\x43" +
          sint(300) + b"\0\0\0\0\0\0")
    f.good("verdicts-gap", b"\4\0\0" + uint(290) + b"\0")
    f.good("verdicts-fork", b"\4\0\0" + uint(300) + b"\1")
    f.good("verdicts-parked-and-late", b"\4\2\1" + sint(1) + sint(9) +
           be64(hlc(NOON)) + b"\4" + sint(1) + b"\0" + span(b"needs_parent") +
           span(b"NEEDS_PARENT") + b"\0\0\0")
    f.good("pull", b"\5" + uint(1234) + b"\0" + uint(65536))
    f.good("pull-full-own", b"\5" + uint(1234) + b"\1\0")
    f.good("delta-nothing", b"\6" + uint(1234) + b"\0\0\0" + b"\0\0\0\0\0")
    f.good("delta-nothing-and-the-sum", b"\6" + uint(1234) + b"\0\0\0" +
           b"\0\0\0\1" + pattern(16, 0xE0) + b"\0")
    f.good("delta-leave", b"\6" + uint(9) + sint(3) + sint(1) + uint(hlc(NOON)) + b"\1" +
           uint(9) + SUBJECT + span("鲍勃".encode()) + b"\0" + b"\0\0\0\0")
    f.good("delta-held", b"\6" + uint(9) + sint(3) + sint(1) + uint(hlc(NOON)) + b"\1" +
           uint(9) + SUBJECT + b"\0" + b"\2" + SUBJECT + OTHER +
           span(b"\0\1\0") + span(plain(pull_cols())) + b"\0" + b"\2" +
           b"\0" + uint(7) + b"\1" + uint(300) + uint(4095) +
           b"\3" + uint(8) + b"\2\1\0")
    f.good("snap", b"\7\0")
    f.good("snap-goes-on", b"\7" + uint(2 ** 32 - 1))
    records = b"\0\1\0"
    f.good("chunk", b"\x08" + uint(5000) + uint(88) + b"\1" + uint(88) +
           be64(hlc(NOON)) + blake(records) + span(records) +
           b"\1" + uint(4000) + uint(7) + b"\1\1\2")
    f.bad("chunk-place-above-its-position", "above its limit", b"\x08" +
          uint(5000) + uint(88) + b"\1" + uint(88) + be64(hlc(NOON)) +
          blake(records) + span(records) + b"\1" + uint(5001) + uint(7) +
          b"\1\1\2")
    f.good("registry", b"\x09")
    f.good("registry-is", b"\x0a" + span(b"\0\0\0\0"))
    f.good("template", b"\x0b" + TEMPLATE)
    f.good("template-is", b"\x0c" + TEMPLATE + span(b"bundle"))
    f.good("template-is-nothing-new", b"\x0c" + TEMPLATE + b"\0")
    enrol = b"\x0d\1\1" + ORG + pattern(16, 0xA0) + pattern(32, 0xB0) + \
        span("laptop 安".encode()) + sint(NOON)
    f.good("enrol", enrol)
    enrolled = b"\x0e" + uint(7) + uint(12) + span(b"ann.lee") + \
        span(b"rep") + span("公司".encode()) + pattern(32, 0xC0) + \
        pattern(32, 0xD0) + sint(NOON)
    f.good("enrolled", enrolled)
    f.good("digest", b"\x17\0\0")
    f.good("digest-is", b"\x18" + uint(5000) + uint(4990) + b"\1\2" + b"\1\0" +
           pattern(16, 0xE0) + b"\1\1" + pattern(16, 0xF0))
    f.good("refetch", b"\x19\1" + uint(255) + uint(511))
    f.good("refetch-is", b"\x1a" + uint(4990) + uint(511) + be64(hlc(NOON)) +
           span(records) + uint(5000) + b"\0")
    f.good("error", b"\0" + uint(9) + span(b"denied") +
           span(b"this role has no right here") + span(b"ask"))
    f.good("error-unknown-number", b"\0" + uint(99999) + b"\0\0\0")

    f.bad("digest-kind-65536", "above its limit", b"\x17" + uint(65536) + b"\0")
    f.bad("digest-is-not-ascending", "order of sums", b"\x18\1\1\1\2\1\1" +
          bytes(16) + b"\1\1" + bytes(16))
    f.bad("digest-is-above-bytes", "count", b"\x18\1\1\1" + uint(2 ** 20))
    f.bad("refetch-empty-range", "range", b"\x19\1\5\5")
    f.bad("empty", "cut short", b"")
    f.bad("type-63", "frame type", b"\x3f")
    f.bad("type-255", "frame type", b"\xff")
    for name, m in (("hello", hello()), ("welcome", welcome + can),
                    ("push", push), ("verdicts", verdicts),
                    ("enrol", enrol), ("enrolled", enrolled)):
        f.bad(name + "-cut", "cut short", m[:-1])
        f.bad(name + "-body-missing", "cut short", m[:1])
        if name not in ("hello", "welcome"):
            f.bad(name + "-longer", "bytes left over", m + b"\0")
    f.bad("registry-with-a-body", "bytes left over", b"\x09\0")
    f.bad("hello-device-2-32", "above its limit",
          hello(device=uint(2 ** 32)))
    f.bad("hello-varint-long", "bad varint", hello(cursor=b"\x80\x00"))
    f.bad("push-batch-announces-2-62", "above its limit",
          push[:-len(span(batch) + behind)] + uint(2 ** 62) + batch)
    f.bad("push-batch-longer-than-frame", "cut short",
          push[:-len(span(batch) + behind)] + uint(len(batch) + 1) + batch)
    f.bad("push-gap-3", "gap", push[:-2] + b"\3\0")
    f.bad("push-old-above-bytes", "count", push[:-1] + uint(4096))
    f.bad("push-old-2-63", "above its limit", push[:-1] + b"\1\1" +
          uint(2 ** 63) + b"\0")
    f.bad("push-old-9-of-one", "count", push[:-1] + b"\1\x09" +
          bytes(10))
    f.bad("push-was-9-of-one", "count", push[:-1] + b"\1\0\x09" +
          bytes(18))
    f.bad("push-was-incarnation-2-32", "above its limit", push[:-1] +
          b"\1\0\1" + uint(2 ** 32) + b"\1")
    f.bad("push-was-2-63", "above its limit", push[:-1] + b"\1\0\1\1" +
          uint(2 ** 63))
    f.bad("welcome-certificates-above-bytes", "count", welcome[:-4] + b"\7")
    f.bad("welcome-sum-2", "boolean", welcome[:-1] + b"\2")
    f.bad("welcome-sum-15-bytes", "cut short", welcome[:-1] + b"\1" +
          bytes(15))
    f.bad("push-incarnation-2-32", "above its limit",
          b"\3" + uint(2 ** 32) + push[2:])
    f.bad("verdicts-count-above-bytes", "count", b"\4" + uint(4096) + b"\0")
    f.bad("verdicts-4097", "count", b"\4" + uint(4097) + b"\0" * 20000)
    f.bad("verdicts-code-200", "verdict", b"\4\1\xc8\2\2" + bytes(11))
    f.bad("verdicts-slug-65", "above its limit",
          b"\4\1\3\2\0" + span(b"s" * 65) + b"\0\0\0\0")
    f.bad("verdicts-eids-above-bytes", "count", b"\4\0\x7f" + bytes(20))
    f.bad("verdicts-fork-2", "boolean", b"\4\0\0\1\2")
    f.bad("pull-flag-2", "above its limit", b"\5\1\2\0")
    f.bad("delta-head-before-the-log", "position", b"\6\1" + sint(-2) +
          b"\0\0\0\0\0\0")
    f.bad("delta-stamp-2-63", "above its limit", b"\6\1\0\0" +
          uint(2 ** 63) + b"\0\0\0\0")
    f.bad("delta-rescopes-above-bytes", "count",
          b"\6\1\0\0" + uint(1) + uint(2 ** 20) + bytes(19))
    f.bad("delta-held-above-bytes", "count",
          b"\6\1\0\0" + uint(1) + b"\1\1" + SUBJECT + b"\0" + uint(10 ** 5) +
          bytes(64))
    f.bad("delta-name-257", "above its limit",
          b"\6\1\0\0" + uint(1) + b"\1\1" + SUBJECT + span(b"n" * 257) +
          bytes(8))
    f.bad("chunk-done-2", "boolean", b"\x08\1\1\2\1" + bytes(41))
    f.bad("snap-2-63", "above its limit", b"\7" + uint(2 ** 63))
    f.bad("enrol-name-not-utf-8", "device name", enrol[:67] + span(b"\xff") +
          sint(NOON))
    f.bad("enrol-name-257", "above its limit",
          enrol[:67] + span(b"n" * 257) + sint(NOON))
    f.bad("error-text-401", "above its limit",
          b"\0\1\0" + span(b"t" * 401) + b"\0")
    f.bad("template-cut", "cut short", b"\x0b" + TEMPLATE[:-1])
    make_more.put(f)
