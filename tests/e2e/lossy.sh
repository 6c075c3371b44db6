# lossy.sh - sessions over a bad network: none may disagree, none may hang. To be read after lib.sh.
#
#   bad_network WHAT HOW NETWORK...     RUNS sessions, with --both or with a listener (HOW: both, allow), many side by side; the
#                                       network is described in lossy.py

need python3 || skip_all "there is no python3"
RUNS=${RUNS:-$(few 100)} AT_ONCE=20
identity alice bob
ALICE="-u --pin ${PIN[bob]}" BOB="-u --pin ${PIN[alice]}"

as_one_of() { # NAME WHO: NAME has WHO's key
    mkdir -p "$W/$1"
    ln -sfn "$W/$2/config" "$W/$1/config"
    mkdir -p "$W/$1/data"
}
for ((i = 0; i < AT_ONCE; i++)); do
    as_one_of "alice$i" alice
    as_one_of "bob$i" bob
done

# What the two ends of a run make of each other: nothing, when all is well.
disagreement() { # I HOW
    local a=alice$1 b=bob$1 story
    [ "${STATUS[$a]} ${STATUS[$b]}" = "0 0" ] || WRONG+="exits ${STATUS[$a]} ${STATUS[$b]}: $(tail -n 1 "$W/$a.err") / $(tail -n 1 "$W/$b.err")"$'\n'
    look "$a" handshake role symmetric
    story=$SEEN
    look "$b" handshake role symmetric
    case "$story, $SEEN" in
    "client true, server true" | "server true, client true") ;;
    "client null, server true" | "server true, client null")
        UNKNOWN=$((UNKNOWN + 1))
        [ "$2" = allow ] || WRONG+="$story, $SEEN"$'\n'
        ;;
    *) WRONG+="roles: $story, $SEEN"$'\n' ;;
    esac
}

bad_network() {
    local what=$1 how=$2 run i left a b a_sees b_sees lost names network_out network_in started=$SECONDS
    shift 2
    UNKNOWN=0 LOST=0 WRONG=
    for ((run = 0; run < RUNS; run += AT_ONCE)); do
        left=$((RUNS - run < AT_ONCE ? RUNS - run : AT_ONCE))
        mkfifo "$W/network.in"
        exec {network_out}< <(exec python3 "$srcdir/tests/e2e/lossy.py" "$left" "$@" "seed=$((run + 1))" <"$W/network.in" 2>"$W/network.err")
        exec {network_in}>"$W/network.in"
        names=()
        for ((i = 0; i < left; i++)); do
            read -r -u "$network_out" a a_sees b b_sees || { not_ok "$what: there is a network"; return; }
            names+=("alice$i" "bob$i")
            if [ "$how" = both ]; then
                start "alice$i" $ALICE -b -s "$a" "$a_sees" 4433
                start "bob$i" $BOB -b -s "$b" "$b_sees" 4433
            else
                start "bob$i" $BOB -l "$b" 4433
                start "alice$i" $ALICE -s "$a" "$a_sees" 4433
            fi
        done
        finish "${names[@]}"
        exec {network_in}>&-
        read -r -u "$network_out" _ lost _ && LOST=$((LOST + lost))
        exec {network_out}<&-
        rm -f "$W/network.in"
        for ((i = 0; i < left; i++)); do disagreement "$i" "$how"; done
    done
    is "$WRONG" "" "$what: $RUNS sessions"
    diag "$LOST datagrams were lost on the way, $UNKNOWN times an end could not tell whether the other was symmetric; $((SECONDS - started)) s"
}
