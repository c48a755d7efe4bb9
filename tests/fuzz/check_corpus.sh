#!/bin/bash
# Every corpus through its target; the true sum last.
p=0 f=0
for bin in "$SAT_BUILD"/fuzz/replay_*; do
	[ -x "$bin" ] || continue
	name=${bin##*/replay_}
	out=$("$bin" tests/fuzz/corpus/"$name" 2>&1); rc=$?
	n=$(grep -oE '^[0-9]+ passed' <<<"$out" | tail -1 | cut -d' ' -f1)
	p=$((p + ${n:-0}))
	[ $rc = 0 ] || { f=$((f + 1)); echo "FAIL corpus of $name"; tail -20 <<<"$out"; }
done
[ $p != 0 ] || { f=1; echo "no $SAT_BUILD/fuzz/replay_*: make check builds them"; }
echo "$p passed, $f failed"
[ $f = 0 ]
