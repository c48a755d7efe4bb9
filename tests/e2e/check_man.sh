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

# the server's: completion, help of one command, each with an example
for shell in bash zsh fish; do
	"$SATCHELD" completion $shell >"$W/complete"; same $? 0 "satcheld completion $shell"
	! command -v $shell >/dev/null || expect 0 $shell -n "$W/complete"
done
expect 2 "$SATCHELD" completion tcsh; expect 2 "$SATCHELD" completion
server_word() { bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _satcheld; echo "${COMPREPLY[*]}"' _ "$W/sbash" "$@"; }
"$SATCHELD" completion bash >"$W/sbash"
same "$(server_word satcheld dev)" device "a noun"
same "$(server_word satcheld -D /x --json team e)" "edit enable" "verbs behind options"
same "$(server_word satcheld device invite --q)" "--qr" "an option of the noun"
same "$(server_word satcheld config '')" "check show" "words in place of each other"
same "$(server_word satcheld serve --metr)" "--metrics" "an option of serve"
same "$(server_word satcheld help bac)" backup "help of what"
for noun in $("$SATCHELD" --help | sed -n '/^Commands:/,/^Options/s/^  \([a-z]*\).*/\1/p' | sort -u); do
	expect 0 "$SATCHELD" help "$noun"; has "$OUT" "^  satcheld .*$noun" "an example of $noun"; has "$OUT" "^Usage:" "usage of $noun"
done
expect 0 "$SATCHELD" device --help; has "$OUT" "device approve NUMBER" "--help of one"; expect 2 "$SATCHELD" help nosuch
expect 0 "$SATCHELD" --json version; has "$OUT" '"schema":"satcheld/version/1"' "version as JSON"
ERR=$("$SATCHELD" --json --nosuch 2>&1); has "$ERR" '"exit":2' "a usage error as JSON"; expect 2 "$SATCHELD"
finish
