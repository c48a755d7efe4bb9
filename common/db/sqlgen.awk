# Turn .sql files into a C table of statements.
#   awk -v room=client_replica -v out=build/gen/client_replica_sql -f sqlgen.awk *.sql
# A file schema/NNNN_name.sql is one migration step. In any other file each
# statement starts with "-- :name x" and gets the number SQL_X.
function flush_stmt() {
	if (name != "") { n++; names[n] = name; texts[n] = text }
	name = ""; text = ""
}
function quoted(s) { gsub(/\\/, "\\\\", s); gsub(/"/, "\\\"", s); return "\"" s "\\n\"" }
FNR == 1 { flush_stmt(); schema = (FILENAME ~ /\/schema\//); if (schema) { k = split(FILENAME, p, "/"); m++; snames[m] = p[k] } }
schema { stexts[m] = stexts[m] "\n\t    " quoted($0); next }
/^-- :name / { flush_stmt(); name = $3; next }
/^--/ { next }
name != "" && NF > 0 { text = text "\n\t    " quoted($0) }
END {
	flush_stmt()
	h = out ".h"; c = out ".c"
	printf "/* generated from the .sql files of the room; do not edit */\n#ifndef GEN_%s_SQL_H\n#define GEN_%s_SQL_H\n#include \"common/db/db.h\"\n", room, room > h
	if (n) { print "enum {" > h; for (i = 1; i <= n; i++) printf "\tSQL_%s,\n", toupper(names[i]) > h; print "};" > h }
	printf "#define %s_sql_count %d\nextern const sat_sql %s_sql[];\n#define %s_schema_count %d\nextern const sat_sql %s_schema[];\n#endif\n", room, n, room, room, m, room > h
	printf "#include \"%s_sql.h\"\n", room > c
	printf "const sat_sql %s_sql[] = {\n", room > c
	for (i = 1; i <= n; i++) printf "\t{ \"%s\",%s },\n", names[i], texts[i] > c
	printf "\t{ NULL, NULL },\n};\nconst sat_sql %s_schema[] = {\n", room > c
	for (i = 1; i <= m; i++) printf "\t{ \"%s\",%s },\n", snames[i], stexts[i] > c
	print "\t{ NULL, NULL },\n};" > c
}
