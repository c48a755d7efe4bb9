#!/bin/bash
# The tutorials, run as they stand: every command of administrator, salesperson,
# headquarters and showroom, in that order, in one company; both languages the same.
. tests/e2e/lib.sh
root=$PWD
mkdir -p "$W/bin" "$W/home" "$W/work"
# What the pages call is the program itself, under its name; a keyring it has just
# made costs little to open from then on.
wrap() { # NAME PROGRAM
	cat >"$W/bin/$1" <<-WRAP
		#!/bin/bash
		case " \$* " in *" init "*) ;; *) exec -a $1 "$2" "\$@" ;; esac
		"$2" "\$@"; rc=\$?
		find "$W/server" "$W/home/data" -name '*.keyring' -exec "$CHEAP" {} "$W/pass" \; 2>/dev/null
		exit \$rc
	WRAP
	chmod +x "$W/bin/$1"
}
CHEAP=$(readlink -f "$B/tests/e2e/cheap"); wrap satchel "$SATCHEL"; wrap satcheld "$SATCHELD"
cp tests/data/xlsx/libreoffice.xlsx "$W/work/客户.xlsx"
cp tests/data/xlsx/customers.xlsx "$W/work/老客户.xlsx"; cp tests/data/xlsx/customers.map.json "$W/work/老客户.map.json"
echo "six words that nobody will guess" >"$W/pass"
port=$((20000 + RANDOM % 20000))

blocks() { awk '/^```sh$/ { on = 1; next } /^```/ { on = 0 } on' "$1"; }
for d in admin sales hq showroom; do
	same "$(blocks docs/tutorial/$d.zh.md | md5sum)" "$(blocks docs/tutorial/$d.en.md | md5sum)" "the commands of $d in both languages"
	blocks docs/tutorial/$d.zh.md
done | sed "s/7443 &/$port --port-file \$W\/port \&/; s/7443/$port/; s/^git clone/git -c safe.directory=* clone/" |
	sed 's/^sleep 1$/until [ -s $W\/port ]; do sleep 0.05; done/' >"$W/all.sh" # a second may be too short
n=$(grep -c . "$W/all.sh"); [ "$n" -gt 50 ] && ok || bad "only $n commands"

# One shell for all of them; every line must end well and is counted.
cat >"$W/run.sh" <<'RUN'
while IFS= read -r line <&3; do
	case $line in '') continue ;; esac
	eval "$line" >"$W/out" 2>&1 </dev/null
	rc=$?
	echo "$rc $line" >>"$W/log"
	{ echo "== $line"; cat "$W/out"; } >>"$W/said"
	[ $rc = 0 ] || { echo "FAIL: exit $rc: $line"; head -5 "$W/out"; }
done 3<"$W/all.sh"
RUN
(cd "$W/work" && export W HOME="$W/home" XDG_DATA_HOME="$W/home/data" XDG_RUNTIME_DIR="$W/home" PATH="$W/bin:$PATH" \
	SATCHELD_DIR="$W/server" SATCHEL_PASSPHRASE_FILE="$W/pass" SATCHEL_LANG=zh && timeout 240 bash "$W/run.sh")
while read -r rc line; do if [ "$rc" = 0 ]; then ok; else bad "$line"; fi; done <"$W/log"
same "$(wc -l <"$W/log")" "$(grep -c . "$W/all.sh")" "every command was run"
# what the administrator's page promises was answered, not only done
said() { awk -v w="$1" '/^== / { on = index($0, w) > 0; next } on' "$W/said"; }
has "$(said '老客户.map.json --header 3 --dry-run')" '13800138102.*[+]8613800138102' "a phone that was a number"
has "$(said '老客户.map.json --header 3 --errors')" 'created[[:space:]]+8' "the list made by LibreOffice"
has "$(said '-m "试点：短视频"')" . "the pilot's revision"
has "$(said '-P wangwei dict source')" 短视频 "the pilot team has it"
has "$(said '--set source=short_video')" 'source.*(retired|停用)' "and lost it on the way back"
same "$(said 'satcheld template status' | grep -c wang.wei)" 2 "who runs what, before and after"
pid=$(pgrep -f "^satcheld serve --listen tcp://127.0.0.1:$port" | head -1); [ -n "$pid" ] && kill "$pid"
finish
