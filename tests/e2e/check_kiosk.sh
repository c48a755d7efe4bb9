#!/bin/bash
# A kiosk: its three routes, the PIN and its waiting, the second lock of its
# daemon, what the check sees of the machine, and that nothing stays readable.
. tests/e2e/lib.sh
server_init; serve; d team add east --name East >/dev/null
d user add kio --name Kio --role kiosk --team east >/dev/null
d user add rec --name Rec --role receptionist --team east >/dev/null
d user add ann --name Ann --role rep --team east >/dev/null
enrol kio; enrol rec; enrol ann
for u in kio rec ann; do expect 0 as $u sync; done
j() { flat <<<"$OUT"; }

# ---- a visitor, offline -------------------------------------------------------------
P=$(as ann preregistration add --set visitor=Zebra --set phone=13900030001 --set agent=lee)
C=$(as ann preregistration code "$P"); as ann -q sync
expect 0 as kio --json api POST /v1/kiosk/checkin -f visitor=Quagga -f phone=13900010001 -f party_size=2; V=$(j | grep -o '"id":"[^"]*"' | cut -d'"' -f4)
hasnt "$OUT" "Quagga|13900010001|0001" "the answer tells nothing back"; [ -n "$V" ] && ok || bad "no id"
expect 9 as kio api POST /v1/kiosk/checkin -f visitor=x -f consultant=ann; has "$ERR" "consultant" "a visitor chooses nobody"
expect 0 as kio api POST /v1/kiosk/lookup -f qr="$C" -f phone="+86 139 0003 0001"; has "$(j)" '"phone_fits":true' "the code of this phone"
expect 0 as kio api POST /v1/kiosk/lookup -f qr="$C" -f phone=13900030002; has "$(j)" '"phone_fits":false' "of another one"
expect 0 as kio api POST /v1/kiosk/lookup -f qr="$C"; has "$(j)" '"phone_fits":null' "no phone"
expect 7 as kio api POST /v1/kiosk/lookup -f qr=R1.nonsense; expect 2 as kio api POST /v1/kiosk/lookup
expect 9 as ann --json api POST /v1/imports/open; expect 9 as kio visit list; expect 9 as kio visit show "$V"; expect 9 as kio account list
expect 0 as kio --json sync pending; has "$(j)" '"commit":"' "it waits"; hasnt "$OUT" "Quagga|1390001" "and is read by nobody here"
expect 0 as kio --json log; hasnt "$OUT" "Quagga|1390001" "the log either"; expect 0 as kio check
expect 0 as kio --request-id r1 api POST /v1/kiosk/checkin -f visitor=Yak -f phone=13900010002; first=$OUT
expect 0 as kio --request-id r1 api POST /v1/kiosk/checkin -f visitor=Yak -f phone=13900010002; same "$OUT" "$first" "sent twice, taken in once"
expect 0 as kio sync; expect 0 as rec sync; expect 0 as rec --json visit list; has "$OUT" 'Quagga' "the desk has them"; has "$OUT" Yak "both"; has "$(j)" '"total":2' "both, once"
expect 0 as kio check

# ---- the PIN -------------------------------------------------------------------------
echo 246802 >"$W/pin"; echo 135791 >"$W/pin2"; echo 12ab >"$W/bad"
expect 5 as kio api POST /v1/kiosk/pin -f pin=246802; has "$ERR" "kiosk pin" "none yet: says how"
expect 2 as kio kiosk pin --pin-file "$W/bad"; expect 0 as kio kiosk pin --pin-file "$W/pin"
expect 9 as kio kiosk pin --pin-file "$W/pin2"; has "$ERR" "old-file" "the old one is asked for"
expect 0 as kio api POST /v1/kiosk/pin -f pin=246802; has "$(j)" '"ok":true' "the right one"
K="--request-id k9 api POST /v1/kiosk/pin -f"; expect 0 as kio $K pin=246802; expect 4 as kio $K pin=999999; has "$ERR" "not the PIN" "under the key of a right try"
expect 4 as kio kiosk pin --pin-file "$W/pin2" --old-file "$W/pin2"; expect 0 as kio kiosk pin --pin-file "$W/pin2" --old-file "$W/pin"
for i in 1 2 3 4 5; do expect 4 as kio api POST /v1/kiosk/pin -f pin=00000$i; has "$ERR" "not the PIN" "try $i"; done
expect 4 as kio api POST /v1/kiosk/pin -f pin=135791; has "$ERR" "too many|RETRY_AFTER [0-9]+" "the right one has to wait, too"

# ---- the daemon ------------------------------------------------------------------------
expect 9 as ann kiosk run --foreground; has "$ERR" "not a kiosk" "a laptop is none"
"$SATCHEL" -C "$W/r/kio" --passphrase-file "$W/pass" kiosk run --no-sync >"$W/d.out" 2>&1
p=$(sed -n 's/.*process \([0-9]*\).*/\1/p' "$W/d.out"); [ -n "$p" ] && ok || bad "no daemon: $(cat "$W/d.out")"
expect 0 as kio api POST /v1/kiosk/checkin -f visitor=Gnu; expect 0 as kio status; expect 0 as kio sync
unit=$(sed -n "s|^ExecStart=/bin/sh -c .\(.*\).\$|\1|p" docs/kiosk/satchel-kiosk.service | sed "s|[$][$]|$|g; s|/usr/bin/satchel|$SATCHEL -C $W/r/kio --no-input|; s|/usr/bin/xinit|echo|")
OUT=$(sh -c "$unit" 2>&1); has "$OUT" "chromium --kiosk .* http://127.0.0.1:[0-9]+/[^ ]* -- :0" "the screen's unit opens a link of this daemon"
for r in "GET /v1/visits" "GET /v1/search" "GET /v1/audit" "POST /v1/exports" "GET /v1/schema" "GET /v1/users"; do
	expect 9 as kio --json api $r; has "$ERR" "kiosk.only" "$r is behind the second lock"; done
[ -n "$p" ] && kill "$p" && while kill -0 "$p" 2>/dev/null; do sleep 0.05; done
sh -c "$unit" >/dev/null 2>&1; same $? 8 "without a daemon the unit ends, and no browser starts"

# ---- the machine -------------------------------------------------------------------------
R=$W/machine; K=docs/kiosk
mkdir -p "$R"/etc/{chromium/policies/managed,X11/xorg.conf.d,udev/rules.d,systemd/system} "$R"/proc/{sys/kernel,bus/input}
expect 20 as kio --json kiosk check --root "$R"; has "$(j)" '"check":"policy","state":"fail"' "nothing is there"; has "$(j)" '"check":"role","state":"ok"' "but the role"
expect 20 as kio --lang zh --format table kiosk check --root "$R"; has "$OUT" "网址 .*除 127.0.0.1:PORT 之外全部阻止" "in Chinese"; hasnt "$OUT" " (is|are|the) |addresses" "no English in it"
cp $K/satchel-kiosk.json "$R/etc/chromium/policies/managed/"; cp $K/10-kiosk.conf "$R/etc/X11/xorg.conf.d/"; cp $K/90-satchel-kiosk.rules "$R/etc/udev/rules.d/"
cp $K/satchel-kiosk.service "$R/etc/systemd/system/"; sed -n 's/kernel.sysrq = //p' $K/90-satchel-kiosk.conf >"$R/proc/sys/kernel/sysrq"
echo "H: Handlers=event0" >"$R/proc/bus/input/devices"; echo "Filename Type Size Used Priority" >"$R/proc/swaps"
OUT=$(as kio --json kiosk check --root "$R" 2>/dev/null); hasnt "$(j | sed 's/{"check":"user"[^}]*}//')" '"state":"(fail|warn)"' "the files of docs/kiosk are enough"
[ "$(id -u)" = 0 ] && has "$(j)" '"check":"user","state":"fail"' "root is told" || ok
sed -i 's|"127.0.0.1:7421"|"http://127.0.0.1:7421/*"|' "$R/etc/chromium/policies/managed/satchel-kiosk.json"
OUT=$(as kio --json kiosk check --root "$R" 2>/dev/null); has "$(j)" '"check":"addresses","state":"fail"' "a pattern that blocks the page"
echo 438 >"$R/proc/sys/kernel/sysrq"; OUT=$(as kio --json kiosk check --root "$R" 2>/dev/null); has "$(j)" '"check":"magickeys","state":"fail"' "magic keys"
expect 20 as ann --json kiosk check --root "$R"; has "$(j)" '"check":"role","state":"fail"' "a laptop is no kiosk"
finish
