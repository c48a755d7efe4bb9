#!/bin/bash
# Floors: a room includes only itself and rooms on lower floors; only the room
# that owns a library includes its header; client and server never meet; the
# headers compile alone; `protocol` and the pure rooms touch nothing outside.
# usage: layers.sh "<room:floor> ..." <objdir>
set -u
rooms=$1
obj=${2:-}
bad=0
say() { echo "layers: $*"; bad=1; }

floor_of() { # longest room that is a prefix of the path
	local best= f=
	for r in $rooms; do
		case $1 in ${r%%:*}/*) [ ${#r} -gt ${#best} ] && best=$r && f=${r##*:} ;; esac
	done
	echo "${best%%:*} $f"
}
while IFS=: read -r file inc; do
	read -r from ff <<<"$(floor_of "$file")"
	read -r to tf <<<"$(floor_of "$inc")"
	case $file in client/main.c|server/main.c) from=${file%.c} ff=90 ;; esac
	[ -z "$from" ] && { say "$file: in no room"; continue; }
	[ -z "$to" ] && { say "$file: includes $inc, which is in no room"; continue; }
	[ "$from" = "$to" ] || [ "$tf" -lt "$ff" ] ||
		say "$file (floor $ff) includes $inc (floor $tf)"
	case $from:$to in client*:server*|server*:client*) say "$file includes $inc: client and server never meet" ;; esac
	case $inc in *_int.h) [ "$from" = "$to" ] || say "$file includes $inc, which stays in its room" ;; esac
done < <(grep -HoE '^#include "[a-z_/]+\.h"' $(find common protocol client server -name '*.[ch]') |
	sed 's/#include "\(.*\)"/\1/' | grep '/.*:.*/' )

own() { # header-regex room
	grep -lE "^#include <($1)" $(find common protocol client server -name '*.[ch]') 2>/dev/null |
		grep -v "^$2/" | while read -r f; do echo "layers: $f includes a header that belongs to $2"; done
}
out=$( own 'sodium' common/crypto; own 'sqlite3' common/db; own 'nng/' common/net
	own 'git2' common/git; own 'cjson/' common/json; own 'csv\.h|iconv|expat|minizip|xlsxwriter' common/sheet
	own 'microhttpd' common/http; own 'curl/' server/hook; own 'pcre2' common/template; own 'zstd' protocol )
[ -n "$out" ] && { echo "$out"; bad=1; }

# banned calls
if grep -nE '\b(strcpy|strcat|sprintf|gets|strtok|atoi|atol|system|popen)\(' \
    $(find common protocol client server -name '*.c'); then say "banned call"; fi
grep -nE '\b(time|gettimeofday|clock_gettime|rand|random)\(' \
    $(find protocol common/model common/template client/crm client/api -name '*.c') &&
	say "time or randomness taken, not handed in"

# undefined symbols of the sans-I/O rooms against their allow-lists; the file
# door of common/base is for the rooms above them
leave() { # library list... ; what it uses that stands on none of the lists
	local lib=$1; shift
	nm -u "$obj/lib/$lib.a" | awk '/ U /{print $2}' | sort -u |
		grep -vxE -f <(cat "$@")
}
if [ -n "$obj" ]; then
	allow=tests/tools/symbols.allow
	for lib in protocol common_model client_api; do
		[ -f "$obj/lib/$lib.a" ] || continue
		more=
		[ $lib = client_api ] && more=tests/tools/symbols_api.allow
		for s in $(leave $lib $allow $more); do
			say "$lib uses $s, which is not on $allow${more:+ nor $more}"
		done
		for s in $(nm -u "$obj/lib/$lib.a" |
		    awk '/ U sat_(random|rand_os|clock_os)$/{print $2}' | sort -u); do
			say "$lib uses $s: time and randomness are handed in"
		done
		[ $lib = client_api ] && continue
		for s in $(nm -u "$obj/lib/$lib.a" |
		    awk '/ U sat_(file|folder|process)_/{print $2}' | sort -u); do
			say "$lib uses $s: it is to touch no file"
		done
	done
fi
[ $bad = 0 ] && echo "layers: floors hold"
exit $bad
