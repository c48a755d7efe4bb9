# fits.sh - what checks of --json source: docs/schema against an answer.
# fits NAME TEXT: the top-level required members of docs/schema/NAME.json
fits() {
	local key f=docs/schema/$1.json
	[ -n "$2" ] || { bad "$1: nothing was printed"; return; }
	for key in $(awk '/^  "required"/ { f = 1 } f { print } f && /\]/ { exit }' "$f" | sed 's/"required"//' | tr -d '",:[]'); do
		if grep -qF "\"$key\":" <<<"$2"; then ok; else bad "$1: no \"$key\" in $(head -c 300 <<<"$2")"; fi
	done
	! grep -qF "\"const\": \"satchel/$1/1\"" "$f" || has "$2" "\"schema\": ?\"satchel/$1/1\"" "schema of $1"
}
