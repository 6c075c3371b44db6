# judge.sh - somebody is judged, by a listener and by a caller, in either TLS role: to be read after lib.sh and certs.sh.
#
# The one to be judged is called like its certificate, $W/NAME.pem; the judge is the identity "judge".
#
# row 'JUDGE ; PEER ; OPTIONS ; STATUSES ; WHAT COMES OF IT'
#   JUDGE         listener, caller, or both: one after the other
#   PEER          the name of the peer's certificate; "-": it shows none
#   STATUSES      the judge's exit status, and the peer's
#   WHAT          accepted: the trust that the judge reports, and the peer's name; refused: a part of the sentence
# Each row is tried with the judge as TLS client and as TLS server.
shopt -s extglob
row() {
    local judges peer options statuses what judge role end other show what_role
    IFS=';' read -r judges peer options statuses what <<<"$1"
    judges=${judges// /} peer=${peer// /}
    read -r options <<<"$options"
    read -r statuses <<<"$statuses"
    read -r what <<<"$what"
    options=${options//%/$W/}
    [ "$judges" = both ] && turns listener caller || TURNS=("$judges")
    for judge in "${TURNS[@]}"; do
        turns client server
        for role in "${TURNS[@]}"; do
            [ "$peer$role" != -client ] || continue # who shows nothing is the client
            [ "$judge" = listener ] && end=alice other=bob || end=bob other=alice
            show="--insecure -i $W/$peer.pem"
            [ "$peer" != - ] || show="--insecure --no-identity"
            what_role="$judge, the TLS $role: $peer, ${options//$W\//}"
            what_role=${what_role//pin-sha256:+([^ ])/PIN}
            strangers
            if [ "$judge" = listener ]; then pair "$options --role $role" "$show"; else pair "$show" "$options --role $role"; fi
            is "${STATUS[$end]} ${STATUS[$other]}" "$statuses" "$what_role"
            if [ "${statuses%% *}" = 0 ]; then
                look $end handshake role trust peer.name
                is "${SEEN% null}" "$role $what" "... because of that"
                is "$(<"$W/alice.out"), $(<"$W/bob.out")" "from the caller, from the listener" "... and 0 means that all data came through"
            else
                has "$(<"$W/$end.err")" "$what" "... which is why"
                is "$(<"$W/alice.out"), $(<"$W/bob.out")" ", " "... and ${statuses%% *} means that no data came through"
            fi
        done
    done
}

# Alice and bob have the judge's identity (the one to be judged shows another), and know nobody. Called for each row: only what
# a session has left there is cleared away.
strangers() {
    local name
    for name in alice bob; do
        [ ! -e "$W/$name/data" ] || rm -rf "$W/$name/data"
        [ -e "$W/$name/config" ] || { mkdir -p "$W/$name" && cp -r "$W/judge/config" "$W/$name/config"; }
    done
}

# rows < TABLE: a row a line; "#" begins a comment
rows() {
    local line
    while IFS= read -r line; do
        case $line in '' | '#'*) ;; *) row "$line" ;; esac
    done
}

# What each end would say: nobody hears it who is not to.
printf 'from the listener' >"$W/alice.in"
printf 'from the caller' >"$W/bob.in"
