#!/bin/bash
# extract.sh - the English texts of the command line as a .pot on stdout.
# usage: client/cli/po/extract.sh [build dir]     from the top folder
# What the tables of verbs say (the program lists it, since macros build some of
# it), headings of tables, messages and marked texts of the sources, and the
# texts and hints of failures of every room below. A text put together with a
# macro (PRId64, a name) is not found whole: write %lld, %s.
set -eu
B=${1:-build}
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
# `{ "key", "Title", CELL_` of cli_column, over line ends
heads() {
	cat client/cli/*.c | tr '\n\t' '  ' |
		LC_ALL=C grep -oE '\{ *"[a-z_.0-9]*", *"[A-Za-z0-9 .,:%()/-]+", *CELL_' |
		sed -E 's/^\{ *"([^"]*)", *("[^"]+"), *CELL_$/\/* heading of \1 *\/ _(\2);/' | sort -u
}
"$B/satchel" __texts >"$T/tables.c"
heads >"$T/headings.c"
# each of them with a header, or msgcat takes their texts for ASCII
x() { # out options...
	local to=$1; shift
	xgettext --from-code=UTF-8 -L C --force-po --no-location -c -o "$to" "$@" 2>/dev/null
	sed -i 's/charset=CHARSET/charset=UTF-8/' "$to"
}
x "$T/tables.pot" -k -k_ "$T/tables.c" "$T/headings.c"
x "$T/sources.pot" -k -k_ -kN_ -kcli_say:2 -kcli_print_or_none:5 -kcli_ask_list:5 -kcli_passphrase:4 \
	-kcli_confirm:2 -kinbox_part:3 client/cli/*.c
files=$(find client protocol common -name '*.c' | sort)
# refuse: of the template's lint; elsewhere its second argument is no text
x "$T/errors.pot" -k -ksat_fail:3 -ksat_fail_code:5 -krefuse:2 $files
x "$T/hints.pot" -k -ksat_fail_code:4 -ksat_err_hint:2 $files
# what stands inside of another error
x "$T/inner.pot" -k -kbad:3 -kfail_row:2 -kfail_chain:2 common/json/json_scan.c client/replica/check.c
# what is said of any document, and what of policy/privacy.json stands behind its
# place there: the program puts these together, so they are listed as it says them
cat >"$T/places.c" <<'PLACES'
_("retention %.40s: must be an object")
_("retention %.40s: unknown member '%.40s'")
_("retention %.40s: no kind '%.40s'")
_("retention %.40s: 'from' is '%.40s', no time of %s")
_("retention %.40s: 'retention_d' must be an integer from %lld to %lld")
_("retention %.40s: 'retention_d' is missing")
_("retention %.40s: 'where' must be a text")
_("consented_only: must be an object")
_("consented_only: unknown member '%.40s'")
_("consented_only: '%s' must be an array of at most %zu")
_("consented_only: '%s' must name one or more")
PLACES
x "$T/places.pot" -k -k_ "$T/places.c"
x "$T/walk.pot" -k -ksat_walk_fault:2 common/template/walk.c
# findings: of the template's lint, of the doctor and the selftest, whose texts
# may be put together first
x "$T/lint.pot" -k -ksay:4 common/template/lint.c
x "$T/found.pot" -k -ksnprintf:3 -kN_ -ksat_finding_add:2 client/api/doctor.c
x "$T/states.pot" -k -kN_ common/json/findings.c client/api/merge.c client/api/feed.c
x "$T/found4.pot" -k -ksat_finding_add:4 client/api/doctor.c
x "$T/found5.pot" -k -ksat_finding_add:5 client/api/doctor.c
x "$T/kiosk.pot" -k -kfound:2 client/cli/kiosk.c
x "$T/kiosk5.pot" -k -kfound:5 client/cli/kiosk.c
x "$T/kiosk6.pot" -k -kfound:6 client/cli/kiosk.c
msgcat --use-first --sort-output "$T"/{tables,sources,errors,hints,inner,places,walk,lint,found,states,found4,found5,kiosk,kiosk5,kiosk6}.pot
