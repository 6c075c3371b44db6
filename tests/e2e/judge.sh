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
row() {
    local judges peer options statuses what judge role end other wanted got show what_role
    IFS=';' read -r judges peer options statuses what <<<"$1"
    judges=${judges// /} peer=${peer// /}
    read -r options <<<"$options"
    read -r statuses <<<"$statuses"
    read -r what <<<"$what"
    options=${options//%/$W/}
    case $judges in both) judges="listener caller" ;; esac
    for judge in $judges; do
        for role in client server; do
            [ "$peer$role" != -client ] || continue # who shows nothing is the client
            [ "$judge" = listener ] && end=alice other=bob || end=bob other=alice
            show="--insecure -i $W/$peer.pem"
            [ "$peer" != - ] || show="--insecure --no-identity"
            what_role="$judge, the TLS $role: $peer, ${options//$W\//}"
            what_role=$(sed 's/pin-sha256:[^ ]*/PIN/g' <<<"$what_role")
            rm -rf "$W"/{alice,bob} && mkdir "$W"/{alice,bob} && cp -r "$W/judge/config" "$W/$end/config"
            if [ "$judge" = listener ]; then pair "$options --role $role" "$show"; else pair "$show" "$options --role $role"; fi
            is "${STATUS[$end]} ${STATUS[$other]}" "$statuses" "$what_role"
            if [ "${statuses%% *}" = 0 ]; then
                is "$(key $end handshake '[.role, .trust, .peer.name // empty] | join(" ")')" "$role $what" "... because of that"
                got="$(cat "$W/alice.out"), $(cat "$W/bob.out")" wanted="from the caller, from the listener"
            else
                has "$(cat "$W/$end.err")" "$what" "... which is why"
                got="$(cat "$W/alice.out"), $(cat "$W/bob.out")" wanted=", "
            fi
            is "$got" "$wanted" "... and ${statuses%% *} means that $([ "$wanted" = ", " ] && echo no || echo "all") data came through"
        done
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
