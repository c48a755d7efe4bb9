"""Changes of a device's keys: P-386, P-387."""
from writer import FILES, ORG, Out, be32, be64, blake, flip, pattern, uint


def rekeys():
    from cryptography.hazmat.primitives.asymmetric.ed25519 import \
        Ed25519PrivateKey
    f = Out("rekey", """
A device changes its keys: the device, the key it has, organisation, the
statement. P-386.""")

    def pair(n):
        sk = Ed25519PrivateKey.from_private_bytes(pattern(32, n))
        return sk, sk.public_key().public_bytes_raw()
    old_sk, old = pair(3)
    new_sk, new = pair(4)
    _, other = pair(5)
    channel = pattern(32, 0xA0)

    def said(by=old_sk, proof=new_sk, dev=7, org=ORG, was=old, key=new,
             label=b"satchel rekey 1\n", cseq=be64(300), head=blake(b"head")):
        front = be32(2) + cseq + head + key + channel
        signed = label + org + be32(dev) + was + front
        return front + by.sign(signed) + proof.sign(signed)
    assert len(said()) == 236
    f.good("change", "7", old, ORG, said())
    f.good("change-before-the-first-commit", "7", old, ORG,
           said(cseq=be64(0), head=bytes(32)))

    def bad(name, *words):
        f.bad(name, "", *words, code="integrity")
    for name, at in (("incarnation", 3), ("number", 11), ("head", 12),
                     ("key", 44), ("channel-key", 76), ("signature", 108),
                     ("proof", 172)):
        bad("other-" + name, "7", old, ORG, flip(said(), at))
    bad("other-device", "8", old, ORG, said())
    bad("other-organisation", "7", old, flip(ORG, 3), said())
    bad("from-another-key", "7", other, ORG, said())
    bad("by-the-new-key-alone", "7", old, ORG, said(by=new_sk))
    bad("without-possession", "7", old, ORG, said(proof=old_sk))
    bad("to-the-same-key", "7", old, ORG, said(key=old, proof=old_sk))
    bad("label-of-a-batch", "7", old, ORG, said(label=b"satchel batch 1\n"))
    f.bad("cut", "cut short", "7", old, ORG, said()[:-1])
    f.bad("longer", "bytes left over", "7", old, ORG, said() + b"\0")
    f.bad("number-2-63", "number of a commit", "7", old, ORG,
          said(cseq=be64(2 ** 63)))

    m = FILES["message"]
    m.good("rekey", b"\x31" + said())
    m.bad("rekey-cut", "cut short", b"\x31" + said()[:-1])
    m.bad("rekey-longer", "bytes left over", b"\x31" + said() + b"\0")
    m.good("rekeyed", b"\x32" + uint(300) + new)
    m.bad("rekeyed-position-2-63", "above its limit",
          b"\x32" + uint(2 ** 63) + new)
