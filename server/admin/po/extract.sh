#!/bin/bash
# extract.sh - the English texts of satcheld as a .pot on stdout.
# usage: server/admin/po/extract.sh [build dir]     from the top folder
# As client/cli/po/extract.sh: what the tables say, marked texts, and the texts
# and hints of failures of every room below. What both programs say has its
# Chinese in the client's catalogue; the build joins the two.
set -eu
B=${1:-build}
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
"$B/satcheld" __texts >"$T/tables.c"
x() { # out options...
	local to=$1; shift
	xgettext --from-code=UTF-8 -L C --force-po --no-location -c -o "$to" "$@" 2>/dev/null
	sed -i 's/charset=CHARSET/charset=UTF-8/' "$to"
}
files=$(find server protocol common -name '*.c' | sort)
x "$T/tables.pot" -k -k_ "$T/tables.c"
x "$T/sources.pot" -k -k_ -kN_ server/main.c server/*/*.c common/json/findings.c
x "$T/errors.pot" -k -ksat_fail:3 -ksat_fail_code:5 -krefuse:2 $files
x "$T/hints.pot" -k -ksat_fail_code:4 -ksat_err_hint:2 $files
x "$T/inner.pot" -k -kbad:3 common/json/json_scan.c
# what the doctor and the selftest found
x "$T/found.pot" -k -ksnprintf:3 -ksat_finding_add:2 server/admin/doctor.c
x "$T/found4.pot" -k -ksat_finding_add:4 -ksat_finding_count:5 server/admin/doctor.c
x "$T/found5.pot" -k -ksat_finding_add:5 -ksat_finding_count:6 server/admin/doctor.c
x "$T/names.pot" -k -ksat_finding_count:2 -klook_at_mode:2 server/admin/doctor.c
msgcat --use-first --sort-output "$T"/{tables,sources,errors,hints,inner,found,found4,found5,names}.pot
