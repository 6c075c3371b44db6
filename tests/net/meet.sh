# meet.sh - for the tests that meet through what stands between hosts: to be read after lib.sh and lab.sh.
#
#   meeting OPTIONS...               the transport
#   networks <TABLE                  a line each: box, what it does with what nobody asked for, IP version; all start orders
#   meet FIRST WHAT VERSION          the other one starts once FIRST listens, or "both" at once

meeting() {
    identity alice bob
    # shellcheck disable=SC2034
    ON[alice]="ip netns exec a" ON[bob]="ip netns exec b"
    ALICE="$* --pin ${PIN[bob]} -b" BOB="$* --pin ${PIN[alice]} -b"
    echo "from alice" >"$W/alice.in"
    echo "from bob" >"$W/bob.in"
}

meet() {
    local a b
    a=$(lab_address a "$3") b=$(lab_address b "$3")
    case $1 in
    alice)
        start alice $ALICE -w 30s "$b" 4433 && event alice listening
        start bob $BOB -w 30s "$a" 4433
        ;;
    bob)
        start bob $BOB -w 30s "$a" 4433 && event bob listening
        start alice $ALICE -w 30s "$b" 4433
        ;;
    both)
        start alice $ALICE -w 30s "$b" 4433
        start bob $BOB -w 30s "$a" 4433
        ;;
    esac
    finish alice bob
    is "${STATUS[alice]} ${STATUS[bob]} $(cat "$W/alice.out") $(cat "$W/bob.out")" "0 0 from bob from alice" "$2"
    [ "${STATUS[alice]}" = 0 ] || diag "$(cat "$W/alice.err")" "$(cat "$W/bob.err")"
}

networks() {
    local box wan version first
    while read -r box wan version; do
        for first in alice bob both; do
            # New boxes each time: the address translation of a session outlives it there.
            lab_up "$box" "$wan"
            meet $first "$box $wan IPv$version, $first first" "$version"
        done
    done
}

# Nobody can guess the port of a NAT that picks a random one: it is said after a while, and tried until -w.
in_vain() { # what is seen
    lab_up sym drop
    start alice $ALICE -w 6s "$(lab_address b)" 4433
    start bob $BOB -w 6s "$(lab_address a)" 4433
    finish alice bob
    is "${STATUS[alice]} ${STATUS[bob]}" "3 3" "NATs with random ports: time runs out at both ends"
    has "$(grep "time ran out" "$W/alice.err")" "$1" "and what was seen is told"
    has "$(grep "still waiting for 10.12.0.2: $1" "$W/alice.err")" "a port that is forwarded to one end helps" \
        "after five seconds too, with what helps"
}
