#!/bin/bash
# 100,000 rows of GB18030 with 1 % bad ones: exit 3, errors file with original
# columns, line and reason, bounded memory, and repeating changes nothing.
. tests/e2e/lib.sh
server_init; serve
d user add hq --name HQ --role hq >/dev/null; enrol hq
N=${ROWS:-100000}
awk -v n="$N" 'BEGIN{print "客户名称,所属行业,联系人,联系方式,需求类型,跟进阶段,备注,外部编号";
 for(i=1;i<=n;i++){p=(i%100==0)?"12":sprintf("138%08d",i); printf "客户%06d有限公司,I65,联系人%d,%s,产品,初次接洽,\"备注，第%d行\",X%06d\r\n",i,i,p,i,i}}' | iconv -f utf-8 -t gb18030 >"$W/big.csv"
start=$(date +%s%N)
"$SATCHEL" -C "$W/r/hq" --passphrase-file "$W/pass" --json \
	import "$W/big.csv" --type account --on-duplicate update --errors "$W/errors.csv" >"$W/out" 2>"$W/err" &
pid=$!; peak=0
while kill -0 $pid 2>/dev/null; do r=$(awk '/VmHWM/{print $2}' /proc/$pid/status 2>/dev/null); [ "${r:-0}" -gt $peak ] && peak=$r; sleep 0.05; done
wait $pid; same $? 3 "exit code"
ms=$((($(date +%s%N) - start) / 1000000)); echo "import: $ms ms, peak $((peak / 1024)) MiB"
s=$(tail -1 "$W/out"); has "$s" "\"created\": ?$((N - N / 100))" "created"; has "$s" "\"errors\": ?$((N / 100))" "errors"
same "$(wc -l <"$W/errors.csv")" $((N / 100 + 1)) "lines of the errors file"
has "$(head -2 "$W/errors.csv")" "客户名称.*line.*reason" "columns of the errors file"
has "$(sed -n 2p "$W/errors.csv")" "phone_main|联系方式" "the reason names the field"
case $B in *san*) peak=0 ;; esac # a sanitizer's shadow is not ours
[ $peak -lt $((200 * 1024)) ] && ok || bad "memory: $peak KiB"
same "$(as hq --json account list --limit 1 | grep -o '"total": [0-9]*' | grep -o '[0-9]*')" $((N - N / 100)) "rows in the replica"
before=$(as hq --json status | grep -A2 '"pending"')
as hq --json import "$W/big.csv" --type account --on-duplicate update >"$W/out2" 2>/dev/null; same $? 3 "repeat"
s=$(tail -1 "$W/out2"); has "$s" '"created": ?0' "repeat creates nothing"; has "$s" '"updated": ?0' "repeat updates nothing"
same "$(as hq --json status | grep -A2 '"pending"')" "$before" "repeat writes no commit"
finish
