"""The keyring, the channel, its frames, pages."""
import hashlib
import struct

from writer import (NOON, ORG, SUBJECT, Out, be32, be64, blake, dict_of,
                    flip, hlc, pattern, sint, span, uint, val)


# ---- keyring ----------------------------------------------------------------

def keyrings():
    f = Out("keyring", """
A keyring file and the 32-byte master key. Expected of a good one: its id,
generation, files and slots. docs/encryption.md, "Keys and keyring".""")
    mk = pattern(32, 0x11)
    rid = pattern(16, 0x60)

    def file(name=b"replica.db", fid=b"SEF1\1" + pattern(11, 0x70),
             page=4096, suite=1):
        return span(name) + fid + be32(page) + bytes([suite])

    def slot(kind=1, params=None, wrap=None):
        if params is None:
            params = {1: pattern(16, 1) + be32(3) + be64(64 << 20),
                      2: pattern(16, 2), 3: pattern(32, 3)}[kind]
        if wrap is None:
            wrap = pattern(104 if kind == 3 else 72, 4)
        return bytes([kind]) + span(params) + span(wrap)

    def ring(files=None, slots=None, gen=5, version=1, magic=b"SATKEYRG",
             nfiles=None, nslots=None, tail=b"", key=mk, summed=True):
        files = [file()] if files is None else files
        slots = [slot()] if slots is None else slots
        b = magic + bytes([version]) + rid + be64(gen)
        b += bytes([len(files) if nfiles is None else nfiles]) + \
            b"".join(files)
        b += bytes([len(slots) if nslots is None else nslots]) + \
            b"".join(slots) + tail
        mac_key = blake(b"satchel keyring mac v1" + rid, key=key)
        b += blake(b, key=mac_key)
        return b + (blake(b)[:16] if summed else bytes(16))
    f.good("one-slot", ring(), mk)
    f.good("three-slots", ring(slots=[slot(1), slot(2), slot(3)]), mk)
    f.good("two-files", ring([file(), file(b"server.db")]), mk)
    f.good("no-file", ring([]), mk)
    f.good("largest-cost", ring(slots=[slot(params=pattern(16, 1) +
                                            be32(10) + be64(1 << 30))]), mk)

    def bad(name, why, b, code="integrity", key=mk):
        f.bad(name, why, b, key, code=code)
    r = ring()
    bad("empty", "keyring has 0 bytes", b"")
    bad("cut-by-one", "checksum", r[:-1])
    bad("magic-only", "keyring has 8 bytes", b"SATKEYRG")
    bad("other-magic", "not a keyring", ring(magic=b"SATKEYRH"))
    bad("longer-than-4096", "keyring has", ring(tail=bytes(4096)))
    bad("checksum-wrong", "checksum", ring(summed=False))
    bad("bit-flipped", "checksum", flip(r, 30))
    bad("mac-of-another-key", "mac", ring(key=pattern(32, 0x12)))
    bad("opened-with-another-key", "mac", r, key=pattern(32, 0x13))
    bad("version-2", "version 2", ring(version=2), code="version")
    bad("generation-0", "generation", ring(gen=0))
    bad("generation-2-63", "generation", ring(gen=2 ** 63))
    bad("files-9", "number of files", ring(nfiles=9))
    bad("files-one-too-many", "", ring(nfiles=2))
    bad("slots-0", "number of slots", ring(slots=[]))
    bad("slots-9", "number of slots", ring(nslots=9))
    bad("slots-more-than-bytes", "cut short", ring(nslots=2))
    bad("bytes-left-over", "bytes left over", ring(tail=b"\0"))
    bad("file-name-empty", "file name", ring([file(b"")]))
    bad("file-name-with-slash", "file name", ring([file(b"../x")]))
    bad("file-name-with-nul", "file name", ring([file(b"a\0b")]))
    bad("file-name-65", "above its limit", ring([file(b"n" * 65)]))
    bad("file-twice", "file named twice", ring([file(), file()]))
    bad("page-size-512", "page size or suite", ring([file(page=512)]))
    bad("suite-2", "page size or suite", ring([file(suite=2)]))
    bad("slot-type-4", "slot", ring(slots=[b"\4" + span(b"x") + span(b"y")]))
    bad("slot-twice", "slot type twice", ring(slots=[slot(), slot()]))
    bad("slot-params-short", "slot", ring(slots=[slot(params=bytes(27))]))
    bad("slot-wrap-short", "slot", ring(slots=[slot(wrap=bytes(71))]))
    bad("cost-0", "cost of the passphrase slot",
        ring(slots=[slot(params=bytes(16) + be32(0) + be64(64 << 20))]))
    bad("cost-11", "cost of the passphrase slot",
        ring(slots=[slot(params=bytes(16) + be32(11) + be64(64 << 20))]))
    bad("memory-7-mib", "cost of the passphrase slot",
        ring(slots=[slot(params=bytes(16) + be32(3) + be64(7 << 20))]))
    bad("memory-2-62", "cost of the passphrase slot",
        ring(slots=[slot(params=bytes(16) + be32(3) + be64(1 << 62))]))


# ---- the channel ------------------------------------------------------------

def x25519(sk, pk=None):
    from cryptography.hazmat.primitives.asymmetric import x25519 as x
    k = x.X25519PrivateKey.from_private_bytes(sk)
    if pk is None:
        return k.public_key().public_bytes_raw()
    return k.exchange(x.X25519PublicKey.from_public_bytes(pk))


class Noise:
    """Noise_IK_25519_ChaChaPoly_SHA256, revision 34."""

    def __init__(self, rs, prologue):
        name = b"Noise_IK_25519_ChaChaPoly_SHA256"
        self.h = self.ck = name
        self.k = None
        self.n = 0
        self.mix_hash(prologue)
        self.mix_hash(rs)

    def mix_hash(self, b):
        self.h = hashlib.sha256(self.h + b).digest()

    def hkdf(self, ikm):
        import hmac
        t = hmac.digest(self.ck, ikm, "sha256")
        a = hmac.digest(t, b"\1", "sha256")
        return a, hmac.digest(t, a + b"\2", "sha256")

    def mix_key(self, dh):
        self.ck, self.k = self.hkdf(dh)
        self.n = 0

    def seal(self, b):
        c = aead(self.k, self.n, b, self.h)
        self.n += 1
        self.mix_hash(c)
        return c


def aead(k, n, b, ad=b""):
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
    return ChaCha20Poly1305(k).encrypt(bytes(4) + struct.pack("<Q", n), b, ad)


def noise():
    f = Out("noise", """
The handshake, seen from the side that reads.
"server": static secret, prologue, message 1 -> the device's key, payload.
"device": static and ephemeral secret, server's key, prologue, message 2 ->
payload and handshake hash.
"transport": the same five and message 2, then messages to open in order.
Published vectors of this very suite: noise/ik_1.txt. P-110 to P-119.""")
    dsk, ssk = pattern(32, 0x01), pattern(32, 0x41)
    de, se = pattern(32, 0x81), pattern(32, 0xC1)
    dpk, spk = x25519(dsk), x25519(ssk)
    prologue = b"satchel\0\1" + ORG

    def message1(rs=spk, e=de, s=dsk, pro=prologue, pay=b""):
        x = Noise(rs, pro)
        epk = x25519(e)
        x.mix_hash(epk)
        x.mix_key(x25519(e, rs))
        c = x.seal(x25519(s))
        x.mix_key(x25519(s, rs))
        return x, epk + c + x.seal(pay)

    def message2(x, e=se, re=x25519(de), rs=dpk, pay=b""):
        epk = x25519(e)
        x.mix_hash(epk)
        x.mix_key(x25519(e, re))
        x.mix_key(x25519(e, rs))
        return epk + x.seal(pay)
    x, m1 = message1()
    m2 = message2(x)
    k1, k2 = x.hkdf(b"")
    assert len(m1) == 96 and len(m2) == 48
    f.good("server-reads-1", "server", ssk, prologue, m1)
    f.good("server-reads-1-with-payload", "server", ssk, prologue,
           message1(pay=b"hi")[1])
    f.good("device-reads-2", "device", dsk, de, spk, prologue, m2)

    def server(name, m, pro=prologue, sk=ssk):
        f.bad(name, "", "server", sk, pro, m)
    server("1-empty", b"")
    server("1-cut", m1[:-1])
    server("1-cut-in-key", m1[:40])
    server("1-longer", m1 + b"\0")
    server("1-ephemeral-flipped", flip(m1, 0))
    server("1-static-flipped", flip(m1, 40))
    server("1-tag-flipped", flip(m1, 95))
    server("1-other-prologue", m1, b"satchel\0\2" + ORG)
    server("1-other-organisation", m1, b"satchel\0\1" + flip(ORG, 15))
    server("1-for-another-server", m1, sk=pattern(32, 0x42))
    server("1-ephemeral-zero", bytes(32) + m1[32:])
    server("1-ephemeral-small-order", bytes([1]) + bytes(31) + m1[32:])
    server("1-is-message-2", m2)

    def device(name, m, **kw):
        f.bad(name, "", "device", kw.get("s", dsk), kw.get("e", de),
              kw.get("rs", spk), kw.get("pro", prologue), m)
    device("2-empty", b"")
    device("2-cut", m2[:-1])
    device("2-longer", m2 + b"\0")
    device("2-ephemeral-flipped", flip(m2, 3))
    device("2-tag-flipped", flip(m2, 47))
    device("2-ephemeral-zero", bytes(32) + m2[32:])
    device("2-for-another-device", m2, s=pattern(32, 0x02))
    device("2-for-another-handshake", m2, e=pattern(32, 0x82))
    device("2-from-another-server", m2, rs=x25519(pattern(32, 0x43)))
    device("2-is-message-1", m1)
    t = [aead(k2, i, p) for i, p in enumerate((b"first", b"", b"third"))]

    def transport(name, *m):
        return [name, "transport", dsk, de, spk, prologue, m2, *m]
    f.good(*transport("messages-in-order", *t))
    f.bad("message-flipped", "", *transport("", flip(t[0], 0))[1:])
    f.bad("message-cut", "", *transport("", t[0][:-1])[1:])
    f.bad("message-shorter-than-a-tag", "", *transport("", b"short")[1:])
    f.bad("message-replayed", "", *transport("", t[0], t[0])[1:])
    f.bad("message-skipped", "", *transport("", t[0], t[2])[1:])
    f.bad("message-of-the-other-direction", "",
          *transport("", aead(k1, 0, b"first"))[1:])
    f.bad("nothing-after-a-bad-one", "",
          *transport("", flip(t[0], 0), t[0])[1:])


def frames():
    f = Out("frame", """
A byte stream of a link: what the reader is ("server" expects a device's
hello, "device" a server's; "-open" behind the handshake), the stream.
Expected: the events, "hello", "frame ID BODY", "more" (something is not
whole yet), "refused" (the link is closed). P-120 to P-123.""")
    req, rep = bytes.fromhex("0053500000300000"), \
        bytes.fromhex("0053500000310000")

    def frame(body, rid=0x80000001, n=None):
        return be64(len(body) + 4 if n is None else n) + be32(rid) + body
    f.good("hello", "server", req)
    f.good("hello-of-a-server", "device", rep)
    f.good("hello-and-message-1", "server", req + frame(pattern(96, 0)))
    f.good("empty-body", "server", req + frame(b""))
    f.good("two-frames", "server", req + frame(b"a") +
           frame(b"bc", 0xFFFFFFFF))
    f.good("half-a-hello", "server", req[:5])
    f.good("half-a-head", "server", req + frame(b"a")[:7])
    f.good("half-a-body", "server", req + frame(b"abc")[:-1])
    f.good("largest-before-message-1", "server", req + frame(b"x" * 4092))
    f.good("announced-only", "server-open", req + frame(b"", n=4 + 4194320))

    def bad(name, who, b):
        f.put(name, [who, b], "?", "")
        f.lines[-1] = f.lines[-1].replace("| ?", "| refused malformed")
    bad("hello-of-the-wrong-side", "server", rep)
    bad("hello-of-pair0", "server", bytes.fromhex("0053500000100000"))
    bad("hello-first-byte", "server", b"\1" + req[1:])
    bad("hello-last-byte", "server", req[:-1] + b"\1")
    bad("http", "server", b"GET / HTTP/1.1\r\n\r\n")
    bad("tls-hello", "server", bytes.fromhex("1603010200010001fc0303"))
    bad("length-3", "server", req + frame(b"", n=3))
    bad("length-0", "server", req + frame(b"", n=0))
    bad("length-4097-before-message-1", "server", req + frame(b"", n=4097))
    bad("length-2-62", "server", req + frame(b"", n=2 ** 62))
    bad("length-2-64-1", "server", req + frame(b"", n=2 ** 64 - 1))
    bad("length-above-4-mib", "server-open", req + frame(b"", n=4194325))
    bad("length-2-62-open", "server-open", req + frame(b"", n=2 ** 62))
    bad("id-without-top-bit", "server", req + frame(b"a", 0x7FFFFFFF))
    bad("id-zero", "server", req + frame(b"a", 0))


# ---- pages ------------------------------------------------------------------

def quarter(s, a, b, c, d):
    for x, y, z, r in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8),
                       (c, d, b, 7)):
        s[x] = s[x] + s[y] & 0xFFFFFFFF
        s[z] ^= s[x]
        s[z] = (s[z] << r | s[z] >> 32 - r) & 0xFFFFFFFF


def hchacha20(key, n16):
    s = list(struct.unpack("<16I", b"expand 32-byte k" + key + n16))
    for _ in range(10):
        for q in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14),
                  (3, 7, 11, 15), (0, 5, 10, 15), (1, 6, 11, 12),
                  (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(s, *q)
    return struct.pack("<8I", *(s[:4] + s[12:]))


def xaead(key, nonce, msg, ad):
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])).encrypt(
        bytes(4) + nonce[16:], msg, ad)


def pages():
    f = Out("page", """
A page of an encrypted database: page key, file id, page number, the 4,096
bytes on disk. Expected of a good one: the BLAKE2b-256
of the page SQLite sees. docs/encryption.md, "Pages".""")
    key, fid = pattern(32, 0x21), b"SEF1\1" + pattern(11, 0x70)
    nonce = pattern(24, 0xA1)

    def page(pgno, clear, key=key, fid=fid, version=1):
        ad = bytes([0x44, version]) + fid + be32(pgno)
        front = b""
        if pgno == 1:
            ad += clear[16:24]
            front = fid + clear[16:24]
        c = xaead(key, nonce, clear[len(front):4056], ad)
        return front + c[:-16] + nonce + c[-16:]
    empty = bytes(4096)
    body = (pattern(256, 0) * 16)[:4056] + bytes(40)
    one = b"SQLite format 3\0" + bytes.fromhex("1000020228402020") + \
        body[24:]

    def put(bad, name, page, k=key, i=fid, n=2):
        if bad:
            f.bad(name, "", k, i, n, page, code="integrity")
        else:
            f.good(name, k, i, n, page)
    p = page(2, body)
    put(False, "page-2", p)
    put(False, "page-1", page(1, one), n=1)
    put(False, "page-of-zeros", page(2, empty))
    put(False, "largest-page-number", page(2 ** 32 - 1, empty), n=2 ** 32 - 1)
    put(True, "moved-to-page-3", p, n=3)
    put(True, "of-another-file", p, i=flip(fid, 15))
    put(True, "other-key", p, k=flip(key, 0))
    put(True, "first-bit", flip(p, 0))
    put(True, "last-bit-of-the-body", flip(p, 4055, 0x80))
    put(True, "nonce", flip(p, 4056))
    put(True, "tag", flip(p, 4095))
    put(True, "format-version", page(2, body, version=2))
    put(True, "page-1-readable-part", flip(page(1, one), 17), n=1)
    put(True, "page-1-as-page-2", page(1, one), n=2)
    put(True, "page-number-0", p, n=0)
    put(True, "never-written", empty)
