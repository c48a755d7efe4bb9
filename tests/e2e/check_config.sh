#!/bin/bash
# Settings: where they stand, which one wins, and that each does what it says.
. tests/e2e/lib.sh
. tests/e2e/fits.sh
C=$XDG_CONFIG_HOME/satchel/config
n() { "$SATCHEL" -C "$W/r/li" --no-input "$@"; } # no passphrase given
server_init; serve
d team add east --name East >/dev/null; d user add li --name Li --role rep --team east >/dev/null; enrol li

# --- set, get, list, unset
expect 5 n config get core.color; has "$ERR" "not set" "nothing is set"
expect 0 env -u SATCHEL_LANG "$SATCHEL" config list; same "$OUT" "" "an empty list"
expect 0 n config set core.lang zh; has "$(cat "$C")" "lang = zh" "git's form"
expect 0 env -u SATCHEL_LANG "$SATCHEL" -C "$W/r/li" --no-input config get core.lang; same "$OUT" zh "get"
expect 0 n config get core.lang; same "$OUT" en "the environment wins"
expect 0 n --json config list --show-origin; fits config "$OUT"; has "$(flat <<<"$OUT")" '"value":"zh","origin":"user","file":"[^"]*config/satchel/config","wins":false' "what loses"; has "$OUT" '"origin": "environment"' "what wins"
expect 0 env -u SATCHEL_LANG "$SATCHEL" --help; has "$OUT" "全局选项" "core.lang"
expect 0 env -u SATCHEL_LANG "$SATCHEL" --lang en --help; has "$OUT" "Global options" "the option wins"
printf '# by hand\n[core]\n\tlang = en\n' >"$C"
expect 0 n config set list.limit 1; has "$(cat "$C")" "# by hand" "comments stay"
expect 0 n config unset list.limit; expect 5 n config unset list.limit
expect 0 n --json config set list.limit 1; fits config "$OUT"

# --- each does what it says
for i in 1 2; do as li account add --set name=公司$i "${ACC[@]}" --set phone_main=1381234567$i >/dev/null || bad "account $i"; done
as li contact add 公司1 --set name=王强 >/dev/null
expect 0 as li account list; same "$(wc -l <<<"$OUT")" 1 "list.limit"
expect 0 as li account list --limit 2; same "$(wc -l <<<"$OUT")" 2 "--limit wins"
expect 0 as li account list --all; same "$(wc -l <<<"$OUT")" 2 "--all wins"
expect 0 n config set core.format json; expect 0 as li account list; has "$OUT" '"schema": "satchel/account.list/1"' "core.format"
expect 0 as li --format tsv account list; hasnt "$OUT" schema "--format wins"
expect 0 n config set core.format csv; expect 0 as li --json account list; has "$OUT" '"schema"' "--json wins"
expect 0 n config unset core.format
expect 4 n status
expect 0 n config set --local core.passphrasefile "$W/pass"; expect 0 n status
expect 0 "$SATCHEL" config list; hasnt "$OUT" passphrasefile "--local is of one replica"
expect 0 n config set core.profile other; expect 10 env HOME="$W/home" "$SATCHEL" --no-input status; has "$ERR" "satchel/other" "core.profile"
expect 10 env HOME="$W/home" SATCHEL_PROFILE=third "$SATCHEL" --no-input status; has "$ERR" "satchel/third" "the environment wins"
expect 0 n config unset core.profile
expect 0 n config set export.encoding utf-8; as li -q export account -o "$W/plain.csv" --reason x; same "$(head -c 2 "$W/plain.csv")" id "export.encoding: no mark"
expect 0 n config set core.log trace; expect 0 n config set core.log warn; expect 0 n config set core.color always
stop_daemons
expect 0 as li --format table account list; has "$OUT" $'\033' "core.color"
expect 0 env NO_COLOR=1 "$SATCHEL" -C "$W/r/li" --format table account list; hasnt "$OUT" $'\033' "NO_COLOR wins"

# --- the server moved: its key is still the one of the invitation
expect 0 as li -q sync; old=$PORT; stop_server; serve 0
if [ "$PORT" != "$old" ]; then ok; else bad "the same port again"; fi
expect 8 as li -q sync --timeout 2s
expect 0 n config set --local sync.server "tcp://127.0.0.1:$PORT"; stop_daemons
expect 0 as li -q sync; expect 0 as li --json status; has "$OUT" "\"server\": \"tcp://127.0.0.1:$PORT\"" "status says where it is"
expect 0 n config set sync.timeout 1h; expect 0 as li -q sync

# --- what is refused
expect 2 n config set core.lang fr; has "$ERR" "zh or en" "a value that does not fit"
expect 2 n config set core.lnag zh; has "$ERR" "core.lang" "did you mean"
expect 2 n config set core.lang; expect 2 n config set sync.timeout soon; expect 2 n config set sync.server here; expect 2 n config set core.passphrasefile secret
expect 2 n config set --local core.profile x; expect 2 n config set --local --system core.lang zh; expect 2 n config edit
expect 2 n config set nosection x; has "$ERR" "SECTION.NAME" "what a name is"; expect 2 n config unset nosection; expect 2 n config set .x y
expect 0 n config set my.own thing; expect 0 n config get my.own; same "$OUT" thing "keys of one's own are kept"
expect 0 env SATCHEL_CONFIG_SYSTEM="$W/sys" "$SATCHEL" config set --system core.color never; has "$(cat "$W/sys")" "never" "--system"
expect 0 env SATCHEL_CONFIG_SYSTEM="$W/sys" "$SATCHEL" config get core.color; same "$OUT" always "the user wins over the machine"
printf '[core\nlang=zh\n' >"$C"; expect 7 as li status; has "$ERR" "$C" "a broken file is named"; expect 0 "$SATCHEL" --help; expect 0 "$SATCHEL" --version
printf '[core]\nlang=fr\n' >"$C"; expect 2 as li status; has "$ERR" "core.lang" "a broken value is named"
expect 0 n config set core.lang en; expect 0 as li status
stop_daemons; finish
