# fits.sh - what checks of --json source: docs/schema against an answer.
# fits NAME TEXT: the top-level required members of docs/schema/NAME.json; those
# of the server are in docs/schema/satcheld
fits() {
	local key f=docs/schema/$1.json
	[ -n "$2" ] || { bad "$1: nothing was printed"; return; }
	for key in $(awk '/^  "required"/ { f = 1 } f { print } f && /\]/ { exit }' "$f" | sed 's/"required"//' | tr -d '",:[]'); do
		if grep -qF "\"$key\":" <<<"$2"; then ok; else bad "$1: no \"$key\" in $(head -c 300 <<<"$2")"; fi
	done
	case $1 in */*) key=$1/1 ;; *) key=satchel/$1/1 ;; esac
	! grep -qF "\"const\": \"$key\"" "$f" || has "$2" "\"schema\": ?\"$key\"" "schema of $1"
}
