# lab.sh - two hosts, each behind a box of its own, with an "internet" between: for the tests that need a network.
#
#     a --- boxa --- internet --- boxb --- b
#
#   lab_or_skip "$0"         run the rest of this file in namespaces of its own, or skip it with a reason
#   lab_up BOX WAN [BOXB]    BOX: fw (stateful firewall, own addresses), nat (keeps ports), sym (NAT with random ports), cone
#                            (NAT that hands everything to its host), moved (NAT that turns the port into 5433, whoever is
#                            called), or none; b has another one with BOXB
#                            WAN: what a box does with what nobody asked for: drop, reject, open (hands it to its own kernel)
#   lab_address a [6]        the address under which the other end sees it
#   lab_port a PORT          the port under which the other end sees that one
#   lab_link a down|up       unplug it
#
# The whole test is a process tree in a PID, mount and network namespace: when it dies, however, nothing is left.

lab_or_skip() {
    [ -z "${IN_LAB-}" ] || return 0
    for tool in ip nft nsenter unshare; do
        need "$tool" || skip_all "there is no $tool"
    done
    local flags=(--net --mount --pid --fork --kill-child --mount-proc)
    [ "$(id -u)" = 0 ] || flags+=(--map-root-user)
    unshare "${flags[@]}" sh -c 'mkdir -p /run/netns 2>/dev/null; mount -t tmpfs lab /run && mkdir /run/netns &&
        ip netns add x && ip link add v0 type veth peer name v1 &&
        echo "table ip t { chain c { type nat hook postrouting priority 100; masquerade; }; }" | nft -f -' \
        >/dev/null 2>&1 || skip_all "no network namespaces with NAT can be made here"
    IN_LAB=1 exec unshare "${flags[@]}" bash "$1"
}

on() { # on HOST COMMAND...
    local host=$1
    shift
    nsenter --net="/run/netns/$host" "$@"
}

# What ip(8) is to do for one side: HOST, its BOX, and the number in its addresses. A process for each line would take longer than
# the tests. `links` is for the namespace we are in, `addresses` for one of HOST, BOX and internet.
links() { # HOST BOX
    cat <<IP
netns add $1
netns add $2
link add eth0 netns $1 type veth peer name lan netns $2
link add wan netns $2 type veth peer name to$1 netns internet
IP
}

addresses() { # WHERE HOST NUMBER
    case $1 in
    host) cat <<IP ;;
link set lo up
link set eth0 up
addr add 10.$3.0.2/24 dev eth0
addr add fd00:$3::2/64 dev eth0 nodad
route add default via 10.$3.0.1
route add ::/0 via fd00:$3::1
IP
    box) cat <<IP ;;
link set lo up
link set lan up
link set wan up
addr add 10.$3.0.1/24 dev lan
addr add 10.1$3.0.2/24 dev wan
addr add fd00:$3::1/64 dev lan nodad
addr add fd00:1$3::2/64 dev wan nodad
route add default via 10.1$3.0.1
route add ::/0 via fd00:1$3::1
IP
    internet) cat <<IP ;;
link set to$2 up
addr add 10.1$3.0.1/24 dev to$2
addr add fd00:1$3::1/64 dev to$2 nodad
route add 10.$3.0.0/24 via 10.1$3.0.2
route add fd00:$3::/64 via fd00:1$3::2
IP
    esac
}

rules() {
    local unasked
    case $2 in
    drop) unasked=drop ;;
    reject) unasked=$'meta l4proto tcp reject with tcp reset\n        reject' ;;
    open) unasked=accept ;;
    esac
    [ "$1" != none ] || return 0
    cat <<RULES
table inet box {
    chain input {
        type filter hook input priority 0
        iifname != "wan" accept
        meta l4proto ipv6-icmp accept
        ct state established,related accept
        $unasked
    }
    chain forward {
        type filter hook forward priority 0
        iifname "lan" accept
        ct state established,related accept
        $([ "$1" = cone ] && echo 'ct status dnat accept')
        $([ "$1" = fw ] && echo "$unasked" || echo drop)
        drop
    }
}
RULES
    case $1 in
    nat | cone) echo 'table ip nat { chain post { type nat hook postrouting priority 100; oifname "wan" masquerade; }; }' ;;
    moved) echo 'table ip nat { chain post { type nat hook postrouting priority 100; oifname "wan" meta l4proto { tcp, udp } masquerade to :5433; }; }' ;;
    sym) echo 'table ip nat { chain post { type nat hook postrouting priority 100; oifname "wan" masquerade fully-random; }; }' ;;
    esac
    [ "$1" != cone ] || echo "table ip everything { chain pre { type nat hook prerouting priority -100; iifname \"wan\" meta l4proto { tcp, udp } dnat to 10.$3.0.2; }; }"
}

lab_up() {
    local host
    KIND_a=$1 KIND_b=${3-$1}
    if [ -n "$NETNS_IS_OURS" ]; then
        ip -all netns delete
    else # a folder of our own, whatever this host has there
        mkdir -p /run/netns && mount -t tmpfs lab /run/netns && NETNS_IS_OURS=yes
    fi
    { echo "netns add internet" && links a boxa && links b boxb; } | ip -batch -
    addresses host a 1 | ip -n a -batch -
    addresses host b 2 | ip -n b -batch -
    addresses box a 1 | ip -n boxa -batch -
    addresses box b 2 | ip -n boxb -batch -
    { echo "link set lo up" && addresses internet a 1 && addresses internet b 2; } | ip -n internet -batch -
    rules "$1" "$2" 1 | on boxa sh -c "$FORWARD; nft -f -"
    rules "$KIND_b" "$2" 2 | on boxb sh -c "$FORWARD; nft -f -"
    on internet sh -c "$FORWARD"
}
NETNS_IS_OURS=
FORWARD='echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'

# shellcheck disable=SC2034
lab_address() {
    local n kind
    case $1 in a) n=1 kind=$KIND_a ;; b) n=2 kind=$KIND_b ;; esac
    case $kind:${2-4} in
    *:6) echo "fd00:$n::2" ;;
    nat:4 | sym:4 | cone:4 | moved:4) echo "10.1$n.0.2" ;;
    *) echo "10.$n.0.2" ;;
    esac
}

# shellcheck disable=SC2034
lab_port() {
    local kind
    case $1 in a) kind=$KIND_a ;; b) kind=$KIND_b ;; esac
    [ "$kind" = moved ] && echo 5433 || echo "$2"
}

# A host comes and goes: its cable.
lab_link() { ip -n "$1" link set eth0 "$2"; }
