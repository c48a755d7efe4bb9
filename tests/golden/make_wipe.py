"""Orders to wipe a device, and their receipts: P-380, P-382, P-384."""
from writer import FILES, NOON, ORG, Out, be32, be64, blake, flip, pattern, \
    span


def wipes():
    from cryptography.hazmat.primitives.asymmetric.ed25519 import \
        Ed25519PrivateKey
    f = Out("wipe", """
An order to wipe a device: "order", root key, organisation, its bytes; its
receipt: "receipt", the device's key, organisation, its bytes. P-380, P-384.""")

    def pair(n):
        sk = Ed25519PrivateKey.from_private_bytes(pattern(32, n))
        return sk, sk.public_key().public_bytes_raw()
    root_sk, root = pair(1)
    server_sk, server = pair(2)
    device_sk, device = pair(3)
    nonce = pattern(16, 0xC0)
    cert = root_sk.sign(b"satchel server key 1\n" + ORG + server)

    def order(first=b"\0", at=be64(NOON), key=server, by=server_sk, c=cert,
              label=b"satchel wipe 1\n", org=ORG):
        front = be32(7) + be32(2) + device + nonce + at + first + key + c
        return front + by.sign(label + org + front)

    def receipt(by=device_sk, label=b"satchel wiped 1\n", org=ORG,
                at=be64(NOON), cseq=be64(300)):
        front = be32(7) + be32(2) + nonce + at + cseq + blake(b"head")
        return front + by.sign(label + org + front)
    assert len(order()) == 225 and len(receipt()) == 136
    f.good("order", "order", root, ORG, order())
    f.good("order-unsent-work-first", "order", root, ORG, order(first=b"\1"))
    f.good("receipt", "receipt", device, ORG, receipt())

    def bad(name, *words):
        f.bad(name, "", *words, code="integrity")
    for name, at in (("device", 3), ("incarnation", 7), ("key", 8),
                     ("nonce", 40), ("time", 63), ("server", 65),
                     ("certificate", 97), ("signature", 161)):
        bad("order-other-" + name, "order", root, ORG, flip(order(), at))
    bad("order-made-one-to-push-first", "order", root, ORG,
        flip(order(), 64))
    bad("order-other-organisation", "order", root, flip(ORG, 3), order())
    bad("order-other-root", "order", server, ORG, order())
    bad("order-by-the-device", "order", root, ORG,
        order(key=device, by=device_sk))
    bad("order-label-of-a-permit", "order", root, ORG,
        order(label=b"satchel permit 1\n"))
    f.bad("order-cut", "cut short", "order", root, ORG, order()[:-1])
    f.bad("order-longer", "bytes left over", "order", root, ORG,
          order() + b"\0")
    f.bad("order-push-first-2", "boolean", "order", root, ORG,
          order(first=b"\2"))
    f.bad("order-time-2-62", "time", "order", root, ORG,
          order(at=be64(2 ** 62)))
    for name, at in (("device", 3), ("incarnation", 7), ("nonce", 8),
                     ("time", 31), ("number", 39), ("head", 40),
                     ("signature", 72)):
        bad("receipt-other-" + name, "receipt", device, ORG,
            flip(receipt(), at))
    bad("receipt-other-organisation", "receipt", device, flip(ORG, 3),
        receipt())
    bad("receipt-of-another-device", "receipt", server, ORG, receipt())
    bad("receipt-label-of-an-order", "receipt", device, ORG,
        receipt(label=b"satchel wipe 1\n"))
    f.bad("receipt-cut", "cut short", "receipt", device, ORG, receipt()[:-1])
    f.bad("receipt-number-2-63", "number of a commit", "receipt", device, ORG,
          receipt(cseq=be64(2 ** 63)))

    m = FILES["message"]
    m.good("wipe", b"\x2f" + span(order()))
    m.bad("wipe-226", "above its limit", b"\x2f" + span(order() + b"\0"))
    m.good("wiped", b"\x30" + receipt())
    m.bad("wiped-cut", "cut short", b"\x30" + receipt()[:-1])
    m.bad("wiped-longer", "bytes left over", b"\x30" + receipt() + b"\0")
