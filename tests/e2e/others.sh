# others.sh - programs that are not ours, as peers: to be read after lib.sh.
#
#   other carol COMMAND...              run it in the background; with feed and release she gets input, by and by
#   hears carol WORDS                   wait until she prints a line with these words; it is in $LINE
#   serves carol                        the port that she listens on is in $PORT
#   over carol                          her input ends, and we wait for her end; STATUS[carol] is her exit status
#
# All that she printed, and that was read, is in "$W/carol.said".

declare -A SAID

other() {
    local name=$1 fd
    shift
    hold "$name"
    : >"$W/$name.said"
    exec {fd}< <(for fd in ${FEED[*]-} ${HEAR[*]-}; do exec {fd}>&-; done
        exec "$@" <"$W/$name.in" 2>&1)
    PID[$name]=$!
    SAID[$name]=$fd
    exec {FEED[$name]}>"$W/$name.in"
}

hears() {
    while IFS= read -r -t "$PATIENCE" -u "${SAID[$1]}" LINE; do
        printf '%s\n' "$LINE" >>"$W/$1.said"
        case $LINE in *"$2"*) return 0 ;; esac
    done
    diag "$1 never said: $2" "$(<"$W/$1.said")"
    return 1
}

# Not every program tells it, but the kernel does.
serves() {
    local socket port
    PORT=
    for socket in $(readlink /proc/"${PID[$1]}"/fd/* | sed -n 's/^socket:\[\(.*\)\]$/\1/p'); do
        port=$(awk -v socket="$socket" '($4 == "0A" || $4 == "07") && $10 == socket { sub(/.*:/, "", $2); print $2 }' \
            "/proc/${PID[$1]}/net/tcp" "/proc/${PID[$1]}/net/udp")
        [ -z "$port" ] || PORT=$((16#$port))
    done
    [ -n "$PORT" ] || diag "$1 does not listen" "$(<"$W/$1.said")"
}

over() {
    local name fd
    for name; do
        [ -z "${FEED[$name]-}" ] || release "$name"
        fd=${SAID[$name]}
        if ! drain "$fd" >>"$W/$name.said"; then
            diag "$name hangs" "$(<"$W/$name.said")"
            kill -KILL "${PID[$name]}"
        fi
        exec {fd}<&-
        wait "${PID[$name]}" 2>/dev/null
        STATUS[$name]=$?
        unset "PID[$name]" "SAID[$name]"
    done
}

# ---- Certificates that do not come from us ----

# certificate NAME: a self-signed one and its key, in NAME.pem
certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
        -keyout "$W/$1.key" -out "$W/$1.pem" 2>/dev/null
    cat "$W/$1.key" >>"$W/$1.pem"
}

# The pin of a certificate, as others compute it.
pin() {
    printf 'pin-sha256:'
    openssl x509 -in "$1" -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64
}
