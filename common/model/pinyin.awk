# Unihan -> C tables: readings of U+4E00..U+9FFF without tones, traditional ->
# simplified. Input: Unihan_Readings.txt, Unihan_Variants.txt,
# pinyin_words.txt. Bytes, not characters: mawk knows no UTF-8.
function hex(s,   i, v) {
	v = 0
	for (i = 1; i <= length(s); i++)
		v = v * 16 + index("0123456789ABCDEF", substr(s, i, 1)) - 1
	return v
}
function code(s,   b) { # the character of three bytes s begins with
	return ((ord[substr(s, 1, 1)] % 16) * 64 + ord[substr(s, 2, 1)] % 64) * 64 + ord[substr(s, 3, 1)] % 64
}
function plain(s,   i) { # no tone, ü as v
	for (i = 1; i <= nfrom; i++)
		gsub(from[i], to[i], s)
	return s
}
function syllable(s) {
	if (!(s in number)) {
		number[s] = ++nsyl
		text[nsyl] = s
	}
	return number[s]
}
function reads(c, s,   n, i) {
	s = plain(s)
	if (c < 19968 || c > 40959 || s !~ /^[a-z]+$/)
		return
	for (i = 1; i <= count[c]; i++)
		if (of[c, i] == s)
			return
	of[c, ++count[c]] = s
	syllable(s)
	if (s ~ /^[ln]v/) { # typed as u where there is no ü
		sub(/v/, "u", s)
		reads(c, s)
	}
}
BEGIN {
	for (i = 0; i < 256; i++)
		ord[sprintf("%c", i)] = i
	n = split("ā a á a ǎ a à a ē e é e ě e è e ê e ế e ề e ī i í i ǐ i ì i " \
	    "ō o ó o ǒ o ò o ū u ú u ǔ u ù u ǖ v ǘ v ǚ v ǜ v ü v " \
	    "ń n ň n ǹ n ḿ m ɡ g", pair, " ")
	for (i = 1; i < n; i += 2) {
		from[++nfrom] = pair[i]
		to[nfrom] = pair[i + 1]
	}
	from[++nfrom] = "\314[\200-\277]" # combining marks
	to[nfrom] = ""
}
/^#/ || NF == 0 { next }
# the common reading first: kMandarin stands before the dictionary's others
$2 == "kMandarin" { first[hex(substr($1, 3))] = $3; next }
$2 == "kXHC1983" || $2 == "kHanyuPinlu" {
	c = hex(substr($1, 3))
	for (i = 3; i <= NF; i++) {
		s = $i
		sub(/^.*:/, "", s)
		sub(/\(.*$/, "", s)
		m = split(s, part, ",")
		for (j = 1; j <= m; j++)
			other[c] = other[c] " " part[j]
	}
	next
}
$2 == "kSimplifiedVariant" {
	c = hex(substr($1, 3))
	# one that is simplified itself stays
	for (i = 3; i <= NF && hex(substr($i, 3)) != c; i++)
		;
	t = hex(substr($3, 3))
	if (i > NF && c >= 19968 && c <= 40959 && t >= 19968 && t <= 40959)
		simple[c] = t
	next
}
$1 == "surname" { surname[code($2)] = $3; next }
$1 == "phrase" { phrase[++nphrase] = $0; next }
function table(name, of_char,   c, line) {
	printf "const uint16_t %s[SAT_HAN_COUNT] = {\n", name
	for (c = 19968; c <= 40959; c++) {
		line = line (of_char[c] + 0) ","
		if (c % 16 == 15 || c == 40959) {
			print line
			line = ""
		}
	}
	print "};"
}
END {
	for (c = 19968; c <= 40959; c++) {
		if (c in first)
			reads(c, first[c])
		m = split(other[c], part, " ")
		for (j = 1; j <= m; j++)
			reads(c, part[j])
		if (c in surname)
			reads(c, surname[c])
	}
	for (i = 1; i <= nphrase; i++) {
		m = split(phrase[i], part, " ")
		for (j = 3; j <= m; j++)
			reads(code(substr(part[2], (j - 3) * 3 + 1)), part[j])
	}
	for (c = 19968; c <= 40959; c++)
		if (count[c])
			best[c] = number[of[c, 1]]
	print "/* Made by pinyin.awk. */"
	print "#include \"common/model/pinyin_int.h\""
	printf "const char *const sat_pinyin_text[] = { \"\",\n"
	for (i = 1; i <= nsyl; i++)
		printf "\"%s\",%s", text[i], i % 12 == 0 ? "\n" : " "
	print "};"
	printf "const size_t sat_pinyin_nsyllables = %d;\n", nsyl
	if (nsyl >= 512)
		exit 1 # SAT_SYLLABLES_MAX
	table("sat_pinyin_first", best)
	table("sat_han_simple", simple)
	print "const sat_reading sat_pinyin_more[] = {"
	for (c = 19968; c <= 40959; c++)
		for (i = 2; i <= count[c]; i++) {
			printf "{%d,%d},%s", c, number[of[c, i]], ++nmore % 8 == 0 ? "\n" : ""
		}
	print "};"
	printf "const size_t sat_pinyin_nmore = %d;\n", nmore
	print "const sat_reading sat_pinyin_surname[] = {"
	for (c = 19968; c <= 40959; c++)
		if (c in surname) {
			printf "{%d,%d},\n", c, number[surname[c]]
			nsur++
		}
	print "};"
	printf "const size_t sat_pinyin_nsurname = %d;\n", nsur
	print "const sat_phrase sat_pinyin_phrases[] = {"
	for (i = 1; i <= nphrase; i++) {
		m = split(phrase[i], part, " ")
		if (length(part[2]) != (m - 2) * 3) {
			print "pinyin_words.txt: " phrase[i] > "/dev/stderr"
			exit 1
		}
		printf "{\"%s\",{", part[2]
		for (j = 3; j <= m; j++)
			printf "%d,", number[part[j]]
		print "}},"
	}
	print "};"
	printf "const size_t sat_pinyin_nphrases = %d;\n", nphrase
}
