#!/bin/bash
# The committed manual pages are what the programs print, and roff takes them.
. tests/e2e/lib.sh
for p in satchel.1 satchel-import.1 satchel-config.5 satchel-exit-codes.7; do
	same "$("$SATCHEL" __man $p | cksum)" "$(cksum <docs/man/$p)" "docs/man/$p is not what satchel __man $p prints"
done
same "$("$SATCHELD" __man | cksum)" "$(cksum <docs/man/satcheld.8)" "docs/man/satcheld.8 is not what satcheld __man prints"
if command -v man >/dev/null; then
	for p in docs/man/*; do same "$(LC_ALL=C.UTF-8 man --warnings -l "$p" 2>&1 >/dev/null | head -3)" "" "warnings of $p"; done
fi
for shell in bash zsh fish; do
	"$SATCHEL" completion $shell >"$W/complete"; same $? 0 "completion $shell"
	! command -v $shell >/dev/null || expect 0 $shell -n "$W/complete"
done
complete_word() { # words...: what bash would offer for the last one
	bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _satchel; echo "${COMPREPLY[*]}"' _ "$W/bash" "$@"
}
"$SATCHEL" completion bash >"$W/bash"
same "$(complete_word satchel acco)" account "a noun"
same "$(complete_word satchel --json -P x account stag)" stage "a verb behind options"
same "$(complete_word satchel account list --st)" "--stage --status" "options of a verb"
same "$(complete_word satchel import x.csv --ma)" "--map --max-errors" "options of a noun alone"
same "$(complete_word satchel account list --stage '')" "" "a value is not a word of ours"
finish
