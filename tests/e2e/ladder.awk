# ladder.awk - a ladder diagram as --trace writes it in 120 columns, without what is different each time: times, sizes, widths.
#
# "-> ClientHello" is ours and in the clear, "<= Finished" the peer's and encrypted; a note is "* ..." on one line; of the fields
# there are those that FIELDS has (a pattern), indented. What is said again (DTLS) is left out with AGAIN=no.

function flush() { if (note != "") print note; note = "" }

{
    if (!match($0, /^[ 0-9.]* \|/)) next
    line = substr($0, RLENGTH + 1)
    sub(/ *\|$/, "", line)
}
line ~ /^ \* / { flush(); note = substr(line, 2); next }
note != "" && line ~ /^   [^ ]/ { note = note " " substr(line, 4); next }
{ flush() }
line ~ /^(--|==) / {
    sign = substr(line, 1, 1)
    sub(/^.. /, "", line)
    sub(/ [-=]+>$/, "", line)
    arrow = sign ">"
}
line ~ /^<[-=]/ {
    sign = substr(line, 2, 1)
    sub(/^<[-=]+ /, "", line)
    sub(/ (--|==)$/, "", line)
    arrow = "<" sign
}
arrow {
    sub(/, [0-9]+ bytes?/, "", line)
    if (AGAIN != "no" || line !~ /again/) print arrow " " line
    arrow = ""
    next
}
FIELDS && line ~ FIELDS {
    sub(/^ */, "", line)
    print "    " line
}
END { flush() }
