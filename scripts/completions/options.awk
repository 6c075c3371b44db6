# options.awk - the table of options (src/options_table.c), and the choices that some have (src/options*.c), a line for each option:
#
#     LONG <tab> LETTER <tab> ARGUMENT <tab> "optional" <tab> CHOICES <tab> "again" <tab> TEXT
#
# with empty fields where there is nothing. Read the sources in any order; entries may go over several lines.

# Strings out of C: strings[1], strings[2] ...; returns how many.
function read_strings(entry,    count, text) {
    count = 0
    while (match(entry, /"([^"\\]|\\.)*"/)) {
        text = substr(entry, RSTART + 1, RLENGTH - 2)
        gsub(/\\"/, "\"", text)
        gsub(/\\\\/, "\\", text)
        strings[++count] = text
        entry = substr(entry, RSTART + RLENGTH)
    }
    return count
}

function letter_of(entry) {
    return match(entry, /'[^'\\]'/) ? substr(entry, RSTART + 1, 1) : ""
}

# FLAG("udp", 'u', 'u', "text"), TAKES("mtu", '\0', OPT_MTU, "text", "N"), {"retry", '\0', POPT_ARG_STRING | ..., "text", "N"}
function read_entry(entry,    count, first) {
    count = read_strings(entry)
    if (count < 2)
        return
    first = entry
    sub(/^[^,]*,/, "", first) # behind the name is the letter
    sub(/,.*/, "", first)
    names[++options] = strings[1]
    letters[options] = letter_of(first)
    texts[options] = strings[2]
    arguments[options] = count > 2 ? strings[3] : ""
    optional[options] = entry ~ /ARGFLAG_OPTIONAL/ ? "optional" : ""
}

FILENAME ~ /options_table\.c$/ {
    if (pending == "" && $0 !~ /^    (FLAG\(|TAKES\(|\{")/)
        next
    pending = pending " " $0
    if ($0 ~ /[)}],[ \t]*(\/\*.*)?$/) {
        sub(/^ +/, "", pending)
        read_entry(pending)
        pending = ""
    }
    next
}

# "--role", "any|client|server" in tables, and options_choose("--known", value, "list|add|del", ...)
match($0, /"--[a-z0-9-]+",( value,)? "[a-z0-9-]+(\|[a-z0-9-]+)+"/) {
    read_strings(substr($0, RSTART, RLENGTH))
    choices[substr(strings[1], 3)] = strings[2]
}

END {
    for (i = 1; i <= options; i++)
        printf "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", names[i], letters[i], arguments[i], optional[i], choices[names[i]],
            texts[i] ~ /again for more/ || names[i] == "verbose" ? "again" : "", texts[i]
}
