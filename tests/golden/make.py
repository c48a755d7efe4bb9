#!/usr/bin/env python3
"""The inputs of the golden vectors, written a second time in another language.

Nothing of the C sources is used: whoever changes a format changes it here
too, so a vector is right only when two writers agree. Deterministic. Needs
python3-cryptography. Use:

    tests/golden/make.py                      writes tests/golden/*.txt with
                                              "?" for what a good input gives
    build/tests/unit/.../test_golden --fill   puts the answers in; read the
                                              difference before it is kept
What is to be refused is said here, with the reason: the C side never fills
in a refusal.
"""
import os

import make_files
import make_secret
import make_state
import make_rekey
import make_wipe
import make_wire
from writer import FILES

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    for make in (make_wire.commits, make_wire.signing, make_wire.batches,
                 make_wire.messages, make_wipe.wipes, make_rekey.rekeys,
                 make_files.files, make_state.states,
                 make_state.registries, make_state.invites,
                 make_state.clocks, make_state.merges, make_secret.keyrings,
                 make_secret.noise, make_secret.frames, make_secret.pages):
        make()
    total = bad = 0
    for name, f in FILES.items():
        with open(os.path.join(HERE, name + ".txt"), "w") as out:
            out.write("\n".join(f.lines) + "\n")
        rows = [x for x in f.lines if not x.startswith("#")]
        refused = sum("| refused " in x for x in rows)
        total, bad = total + len(rows), bad + refused
        print("%-10s %3d vectors, %3d to be refused" % (name, len(rows),
                                                        refused))
    print("%d vectors, %d to be refused" % (total, bad))


main()
