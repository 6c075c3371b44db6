# meet.sh - for the tests that meet through what stands between hosts: to be read after lib.sh and lab.sh.
#
#   pair_up NAME TRANSPORT           two ends, NAME-a on host a and NAME-b on host b: tcp, udp or sctp
#   end NAME HOST OPTIONS...         start one of them; PORT and VERSION say where, and to which address of the other
#   met NAME WHAT                    wait for both: a test
#   meet FIRST WHAT                  all that with "pair": the other one starts once FIRST listens, or "both" at once
#   networks <TABLE                  a line each: the boxes, what they do with what nobody asked for, IP version, and
#                                    b's box if it is another one; all start orders, or with TEST_SHARE one by turns
#
# has_sctp: user-space SCTP is there.

declare -A TRANSPORT
PORT=4433 VERSION=4
mkfifo "$W/quiet"
exec {QUIET}<>"$W/quiet"

has_sctp() { ! as nobody "$SYMTLS" --sctp-udp -w 1ms 127.0.0.1 1 2>&1 | grep -q "built without"; }

# Time passes: only where it is time that is tested.
pass() { read -r -t "$1" -u "$QUIET"; }

pair_up() {
    local host
    identity "$1-a" "$1-b"
    TRANSPORT[$1]=$2
    for host in a b; do
        ON[$1-$host]="nsenter --net=/run/netns/$host"
        echo "from $host" >"$W/$1-$host.in"
    done
}

end() {
    local name=$1 host=$2 other=a options=() port
    shift 2
    [ "$host" = a ] && other=b
    port=$(lab_port $other "$PORT")
    case ${TRANSPORT[$name]} in
    tcp) options=(-p "$PORT") ;;
    udp) options=(-u -p "$PORT") ;;
    sctp) options=(--sctp-udp="$PORT:$port") port=$PORT ;;
    esac
    # Tests give a later -w, or another address: the last one counts.
    start "$name-$host" "${options[@]}" --pin "${PIN[$name-$other]}" -b -w 30s "$@" "${THERE-$(lab_address $other "$VERSION")}" "$port"
}

met() {
    finish "$1-a" "$1-b"
    is "${STATUS[$1-a]} ${STATUS[$1-b]} $(<"$W/$1-a.out") $(<"$W/$1-b.out")" "0 0 from b from a" "$2"
    [ "${STATUS[$1-a]} ${STATUS[$1-b]}" = "0 0" ] || diag "$(<"$W/$1-a.err")" "$(<"$W/$1-b.err")"
}

meet() {
    case $1 in
    a) end pair a && event pair-a listening && end pair b ;;
    b) end pair b && event pair-b listening && end pair a ;;
    both) end pair a && end pair b ;;
    esac
    met pair "$2"
}

turn_of() { case $(($1 % 3)) in 0) echo a ;; 1) echo b ;; 2) echo both ;; esac; }

networks() {
    local box wan other first orders=(a b both) turn=0
    while read -r box wan VERSION other; do
        if [ "$TEST_SHARE" != 1 ]; then
            orders=("$(turn_of "$turn")")
            turn=$((turn + 1))
        fi
        for first in "${orders[@]}"; do
            # New boxes each time: the address translation of a session outlives it there.
            lab_up "$box" "$wan" "${other:-$box}"
            meet $first "$box $wan IPv$VERSION${other:+, $other at b}: $first first"
        done
    done
    VERSION=4
}

# Nobody can guess the port of a NAT that picks a random one: it is said after a while, and tried until -w.
in_vain() { # what is seen
    lab_up sym drop
    end pair a -w 6s
    end pair b -w 6s
    finish pair-a pair-b
    is "${STATUS[pair-a]} ${STATUS[pair-b]}" "3 3" "NATs with random ports: time runs out at both ends"
    has "$(grep "time ran out" "$W/pair-a.err")" "$1" "and what was seen is told"
    has "$(grep "still waiting for 10.12.0.2: $1" "$W/pair-a.err")" "a port that is forwarded to one end helps" \
        "after five seconds too, with what helps"
}
