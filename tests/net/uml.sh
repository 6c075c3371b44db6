#!/bin/bash
# tests/net/uml.sh COMMAND [ARGUMENT...] - run it on a kernel that has SCTP, whatever this one has.
#
# User-mode Linux (Debian's user-mode-linux) is a kernel that runs as a program. It sees the files of this host, and can
# write only below /run. It needs no root. The exit status is the command's; 77: it cannot be run here, and standard error says why.
set -u
# UML_MODULES: more of the kernel's modules.
limit=${UML_TIMEOUT:-300}
modules_wanted="hmac md5 sctp ${UML_MODULES-}" # in this order: without the first two listen(2) fails

kernel=$(command -v linux.uml) && busybox=$(command -v busybox) || {
    echo "uml.sh: install user-mode-linux and busybox" >&2
    exit 77
}
modules=$(dirname "$(dirname "$kernel")")/lib/uml/modules
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
printf ' %q' "$@" >"$out/command"
printf 'export %q\n' "CMOCKA_MESSAGE_OUTPUT=${CMOCKA_MESSAGE_OUTPUT-}" >"$out/environment"
printf '%s' "$PWD" >"$out/folder"

cat >"$out/init" <<INIT
#!$busybox sh
b=$busybox
\$b mount -t proc proc /proc
\$b mount -t tmpfs run /run
\$b mkdir /run/out /run/tmp
[ -e /dev/fd ] || \$b ln -s /proc/self/fd /dev/fd
\$b mount -t hostfs none /run/out -o $out
folder=$modules/\$(\$b uname -r)
load() { # a module, after those that it needs
    \$b grep -q "/\$1\\.ko" \$folder/modules.builtin && return
    line=\$(\$b grep "/\$1\\.ko:" \$folder/modules.dep)
    order=
    for path in \${line%%:*} \${line#*:}; do order="\$path \$order"; done
    for path in \$order; do \$b insmod \$folder/\$path 2>/dev/null; done
}
for module in $modules_wanted; do load \$module; done
\$b ip link set lo up
export HOME=/run/tmp TMPDIR=/run/tmp PATH=/usr/sbin:/usr/bin:/sbin:/bin
. /run/out/environment
cd "\$(\$b cat /run/out/folder)"
echo >/run/out/begun
/bin/sh -c "\$(\$b cat /run/out/command)" </dev/null >/run/out/said 2>&1
echo \$? >/run/out/status
\$b poweroff -f
INIT
chmod +x "$out/init"
touch "$out/said"
timeout -k 2 "$limit" "$kernel" mem=256M rootfstype=hostfs rootflags=/ ro init="$out/init" con0=null,fd:1 con=null quiet \
    </dev/null >"$out/console" 2>&1
cat "$out/said"
[ -s "$out/status" ] && exit "$(<"$out/status")"
if [ -e "$out/begun" ]; then
    echo "uml.sh: the command did not come to its end within $limit s" >&2
    exit 1
fi
echo "uml.sh: the kernel did not start" >&2
tail -5 "$out/console" >&2
exit 77
