# lib.sh - for the end-to-end tests: real processes, real sockets, TAP on stdout.
#
#   identity alice                      a folder of her own, so that she has her own key; PIN[alice] is its pin
#   start alice -l 127.0.0.1 0          run symtls as alice, in the background
#   event alice listening               wait for that event; its JSON is in $EVENT
#   finish alice                        wait for her end; STATUS[alice] is the exit status
#   is "$got" "$wanted" "what it is"    a test; so is  check "what it is" COMMAND...
#   done_testing                        at the end; what "$W"/*.report hold is checked against the schema then
#
#   hold alice                          before she starts: her input goes on;  feed alice WORDS,  release alice: it ends
#   catch alice                         before she starts: what she writes is read from <&"${HEAR[alice]}", not kept
#   plain alice                         neither of them any more, and no input
#
# alice reads "$W/alice.in" (make it a FIFO to feed her by and by; else it is empty) and writes "$W/alice.out";
# what she says to people is in "$W/alice.err", and her events are in "$W/alice.report". Nothing waits for time to pass: tests wait
# for events, and a wait of PATIENCE seconds means that something hangs.

set -u
SYMTLS=${SYMTLS:-./symtls}
srcdir=${srcdir:-.}
PATIENCE=${PATIENCE:-60}
W=$(mktemp -d "${TMPDIR:-/tmp}/symtls-test.XXXXXX")
declare -A PIN STATUS PID EVENTS ON # ON[alice]: a command that runs her end elsewhere
declare -A FEED HEAR # descriptors; empty: to be opened at the start
TESTS=0 FAILED=0
unset SSLKEYLOGFILE
export PYTHONDONTWRITEBYTECODE=1 # the sources may be read-only
PATH=/usr/bin:$PATH # Debian's python3 is the one that Debian's modules are for; a version manager's takes ten times as long to start
export HOME=$W XDG_CONFIG_HOME=$W/config XDG_DATA_HOME=$W/data

# With sanitizers: to look for leaks at a program's end takes three times as long as a session, so one in five looks.
STARTS=0 LEAKS=(0 1 0 0 0)
[ -z "${ASAN_OPTIONS-}" ] || export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0

cleanup() {
    local jobs
    jobs=$(jobs -p)
    # shellcheck disable=SC2086
    [ -z "$jobs${PID[*]-}" ] || kill -KILL $jobs ${PID[*]-} 2>/dev/null
    rm -rf "$W"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# ---- TAP ----

diag() { printf '# %s\n' "$@" | sed '2,$s/^[^#]/# &/'; }

ok() { TESTS=$((TESTS + 1)); echo "ok $TESTS - $1"; }

not_ok() {
    TESTS=$((TESTS + 1)) FAILED=$((FAILED + 1))
    echo "not ok $TESTS - $1"
}

skip() { TESTS=$((TESTS + 1)); echo "ok $TESTS - $1 # SKIP $2"; }

skip_all() { echo "1..0 # SKIP $1"; exit 0; }

is() {
    if [ "$1" = "$2" ]; then ok "$3"; else
        not_ok "$3"
        diag "got:    $1" "wanted: $2"
    fi
}

# The text contains the words.
has() {
    case $1 in
    *"$2"*) ok "$3" ;;
    *)
        not_ok "$3"
        diag "got:            $1" "wanted to read: $2"
        ;;
    esac
}

check() {
    local what=$1
    shift
    if "$@"; then ok "$what"; else not_ok "$what"; fi
}

done_testing() {
    reports_follow_schema
    echo "1..$TESTS"
    [ "$FAILED" = 0 ]
}

# few NUMBER: of so many cases that are all alike, how many to take. All, or the TEST_SHARE-th part: scripts/check sets that where
# the same tests run a second time.
TEST_SHARE=${TEST_SHARE:-1}
few() { echo $((($1 + TEST_SHARE - 1) / TEST_SHARE)); }

# turns CASE...: which of these that are alike to take, in $TURNS. All, or one: each comes up, and in no order that could go together
# with that of others.
TURN=0
turns() {
    TURNS=("$@")
    [ "$TEST_SHARE" = 1 ] || TURNS=("${TURNS[(++TURN * 40503 >> 7) % $#]}")
}

# The library that answers for the resolver, or nothing.
nss_wrapper() {
    local path
    for path in /usr/lib/libnss_wrapper.so /usr/lib*/*/libnss_wrapper.so; do [ ! -e "$path" ] || { echo "$path"; break; }; done
}

need() { command -v "$1" >/dev/null 2>&1; }

# ---- Ends ----

# as NAME COMMAND...: run it with NAME's files
as() {
    local name=$1
    shift
    XDG_CONFIG_HOME=$W/$name/config XDG_DATA_HOME=$W/$name/data "$@"
}

# shellcheck disable=SC2034
identity() {
    local name
    for name; do
        mkdir -p "$W/$name"
        PIN[$name]=$(as "$name" "$SYMTLS" --show-identity 2>/dev/null | cut -d' ' -f1)
        [ -n "${PIN[$name]}" ] || diag "$name has no identity"
    done
}

# start NAME ARGUMENT...
start() {
    local name=$1 fd
    shift
    [ -e "$W/$name.in" ] || : >"$W/$name.in"
    [ ! -s "$W/$name.report" ] || printf '%s\n' "$(<"$W/$name.report")" >>"$W/earlier.reports"
    : >"$W/$name.report"
    exec {fd}< <(for fd in ${FEED[*]-} ${HEAR[*]-}; do exec {fd}>&-; done # others' pipes have to end when they end
        exec 8>&1 9>/dev/null >"$W/$name.out" 2>"$W/$name.err" <"$W/$name.in"
        export XDG_CONFIG_HOME=$W/$name/config XDG_DATA_HOME=$W/$name/data
        [ -z "${ASAN_OPTIONS-}" ] || ASAN_OPTIONS+=:detect_leaks=${LEAKS[STARTS % 5]}
        exec ${ON[$name]-} "$SYMTLS" --report fd:8 "$@")
    PID[$name]=$!
    EVENTS[$name]=$fd
    STARTS=$((STARTS + 1))
    [ -z "${HEAR[$name]-x}" ] && exec {fd}<"$W/$name.out" && HEAR[$name]=$fd
    [ -z "${FEED[$name]-x}" ] && exec {fd}<>"$W/$name.in" && FEED[$name]=$fd
    return 0
}

# ---- Their input and output, by and by ----

plain() {
    local name
    for name; do
        [ -z "${FEED[$name]-}" ] || release "$name"
        [ -z "${HEAR[$name]-}" ] || deafen "$name"
        unset "FEED[$name]" "HEAR[$name]"
        rm -f "$W/$name.in" "$W/$name.out"
    done
}

hold() {
    local name
    for name; do
        rm -f "$W/$name.in"
        mkfifo "$W/$name.in"
        FEED[$name]=
    done
}

catch() {
    local name
    for name; do
        rm -f "$W/$name.out"
        mkfifo "$W/$name.out"
        HEAR[$name]=
    done
}

# False: nobody reads it any more.
feed() { (trap '' PIPE; printf '%s\n' "${@:2}" >&"${FEED[$1]}") 2>/dev/null; }

release() {
    exec {FEED[$1]}>&-
    unset "FEED[$1]"
}

# Nobody reads what NAME writes any more.
deafen() {
    exec {HEAR[$1]}<&-
    unset "HEAR[$1]"
}

# event NAME EVENT: read on until it comes. False: it never did.
event() {
    local name=$1 fd=${EVENTS[$1]}
    while IFS= read -r -t "$PATIENCE" -u "$fd" EVENT; do
        printf '%s\n' "$EVENT" >>"$W/$name.report"
        case $EVENT in *"\"event\":\"$2\""*) return 0 ;; esac
    done
    EVENT=
    diag "$name: no event $2" "$(<"$W/$name.err")"
    return 1
}

# The port in the last event's "local".
port() { [[ $EVENT =~ \"local\":\"[^\"]*:([0-9]+)\" ]] && echo "${BASH_REMATCH[1]}"; }

# key NAME EVENT FILTER: a key of an event that has been read, as jq writes it
key() {
    local keys=$3
    case $keys in '"\(.'*')"') keys=${keys//[\"\\()]/} ;; esac # "\(.role) \(.peer.pin)"
    if [[ $keys =~ ^(\.[a-z_]+){1,2}(\ (\.[a-z_]+){1,2})*$ ]]; then
        keys=" $keys"
        # shellcheck disable=SC2086
        look "$1" "$2" ${keys// ./ } && printf '%s\n' "$SEEN"
    else
        jq -r "select(.event == \"$2\") | $3" "$W/$1.report"
    fi
}

# seen NAME EVENT: it has come, and been read
seen() { [[ $(<"$W/$1.report") == *"\"event\":\"$2\""* ]]; }

# look NAME EVENT KEY...: what the keys of each such event are, a space between and a line for each event, in $SEEN; "null" where there
# is none. "peer.pin" is in an object. This is done thousands of times, and jq takes longer to start than a session takes. False:
# there was no such event.
look() {
    local line key object got
    SEEN=
    while IFS= read -r line; do
        case $line in *"\"event\":\"$2\""*) ;; *) continue ;; esac
        got=
        for key in "${@:3}"; do
            object=$line
            case ${line//\\\\/} in
            *\\[!\"]*) VALUE=$(jq -r ".$key" <<<"$line") ;; # but for the two that preferences have, escapes are for those who know them
            *)
                [[ $key != *.* ]] || { pick "${key%.*}" "$line" && object=$VALUE || object={}; }
                pick "${key#*.}" "$object" || VALUE=null
                ;;
            esac
            got+=" $VALUE"
        done
        SEEN+=${SEEN:+$'\n'}${got# }
    done <"$W/$1.report"
    [ -n "$SEEN" ]
}

# pick KEY OBJECT: the value of a key of a JSON object on a line, in $VALUE
pick() {
    local rest=${2:1} string='"[^"\]*(\\.[^"\]*)*"'
    local inner="[[{]($string|[^][{}\"])*[]}]"
    local pair="^,?\"([^\"]*)\":($string|[^][{}\",]+|[[{]($string|[^][{}\"]|$inner)*[]}])(.*)$"
    while [[ $rest =~ $pair ]]; do
        VALUE=${BASH_REMATCH[2]} rest=${BASH_REMATCH[-1]}
        [ "${BASH_REMATCH[1]}" = "$1" ] || continue
        case $VALUE in '"'*) VALUE=${VALUE:1:-1} VALUE=${VALUE//\\\"/\"} VALUE=${VALUE//\\\\/\\} ;; esac
        return 0
    done
    [ "$rest" = "}" ] || diag "this cannot read: $2" >&2
    return 1
}

# drain FD: print what comes until the end. False: the end did not come. (By the block: line by line, bash asks for every byte.)
drain() {
    local rest result
    IFS= read -r -t "$PATIENCE" -u "$1" -N 100000000 rest
    result=$?
    printf '%s' "$rest"
    [ "$result" -le 128 ]
}

# finish NAME...: wait for its end, and keep its exit status (128 and more: a signal)
# shellcheck disable=SC2034
finish() {
    local name fd said
    for name; do
        fd=${EVENTS[$name]}
        if ! drain "$fd" >>"$W/$name.report"; then
            diag "$name hangs" "$(<"$W/$name.err")"
            kill -ABRT "${PID[$name]}"
        fi
        exec {fd}<&-
        wait "${PID[$name]}" 2>/dev/null
        STATUS[$name]=$?
        said= # without a process: this is done thousands of times
        [ ! -s "$W/$name.err" ] || IFS= read -r -d '' said <"$W/$name.err"
        case $said in
        *Sanitizer* | *"runtime error"*)
            not_ok "$name: the sanitizers find nothing"
            diag "$said"
            ;;
        esac
        unset "PID[$name]" "EVENTS[$name]"
    done
}

# All that was reported, by whomever; once, since python takes its time to start.
reports_follow_schema() {
    local problems status reports
    [ "$TEST_SHARE" = 1 ] || return # the same reports again
    reports=$(find "$W" -maxdepth 1 -name '*report*' -size +0)
    [ -n "$reports" ] || return
    # shellcheck disable=SC2086 # W has no spaces
    problems=$(python3 "$srcdir/tests/e2e/reports.py" "$srcdir/tests/vectors/report.schema.json" $reports 2>&1)
    status=$?
    case $status in
    0) ok "every event is as the schema says" ;;
    77 | 127) skip "every event is as the schema says" "there is no python3 with jsonschema" ;;
    *)
        not_ok "every event is as the schema says"
        diag "$problems"
        ;;
    esac
}

# Exactly one "closed", with the exit status that it really was.
closed_once() {
    look "$1" closed exit && [ "$SEEN" = "${STATUS[$1]}" ]
}

# pair "ARGUMENTS of the listener" "ARGUMENTS of the caller": alice listens, bob calls, both to their end
pair() {
    # shellcheck disable=SC2086
    start alice $1 -l 127.0.0.1 0
    event alice listening || { finish alice; STATUS[bob]=none; return; }
    # shellcheck disable=SC2086
    start bob $2 127.0.0.1 "$(port)"
    finish alice bob
}

# meet "ARGUMENTS of the listener" "ARGUMENTS of the caller": the same, until both have shaken hands
meet() {
    # shellcheck disable=SC2086
    start alice $1 -l 127.0.0.1 0
    event alice listening || return
    # shellcheck disable=SC2086
    start bob $2 127.0.0.1 "$(port)"
    event alice handshake && event bob handshake
}

statuses() { echo "${STATUS[alice]} ${STATUS[bob]}"; }

# through NAME SCRIPT: NAME's command is "$@" in this script
through() {
    printf '#!/bin/bash\n%s\n' "$2" >"$W/$1.sh"
    chmod +x "$W/$1.sh"
    ON[$1]=$W/$1.sh
}

# No input, output into files, no script in between.
fresh() {
    plain alice bob
    unset 'ON[alice]' 'ON[bob]'
}

# Two ports on 127.0.0.1 that nobody has: for --both, which cannot ask the kernel for one.
two_ports() {
    python3 -c '
import socket
a, b = socket.socket(), socket.socket()
a.bind(("127.0.0.1", 0)); b.bind(("127.0.0.1", 0))
print(a.getsockname()[1], b.getsockname()[1])'
}
