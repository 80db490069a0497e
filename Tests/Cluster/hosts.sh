# Small hosts, each with a Linux kernel, a clock and a network address of its own, for tests of what several hosts do: Debian's
# User Mode Linux (a kernel that runs as a process: no KVM, full speed), on a bridge in a network namespace. Sourced.
#
#   prepare_hosts       the hosts' root folder, once, in ~/.cache/attune-hosts; names and a bridge
#   boot NAME NUMBER MEMORY [KERNEL ARGUMENTS]   starts a host at 10.77.0.NUMBER
#   root NAME COMMAND   runs a command in it as root; `on` as the user worker (1000)
#   power_off NAME      its power fails
#   stop_hosts          ends all
#
# $work must name a folder for this run. Needs root, debootstrap, user-mode-linux and an ssh client.

hosts_need() {
    [ "$(id -u)" -eq 0 ] || { echo "$0: needs root" >&2; exit 77; }
    local missing=()
    command -v debootstrap >/dev/null || missing+=(debootstrap)
    command -v linux.uml >/dev/null || missing+=(user-mode-linux)
    command -v ssh >/dev/null || missing+=(openssh-client)
    command -v ip >/dev/null || missing+=(iproute2)
    [ ${#missing[@]} -eq 0 ] || { echo "$0: not installed: apt-get install ${missing[*]}" >&2; exit 77; }
    [ -c /dev/net/tun ] || { echo "$0: there is no /dev/net/tun, which the hosts' network needs" >&2; exit 77; }
}

# The root folder of all hosts: they mount it read-only, so one will do.
prepare_hosts() {
    hosts_need
    cache=${HOSTS_CACHE:-$HOME/.cache/attune-hosts}
    image=$cache/bookworm
    if [ ! -e "$cache/complete-2" ]; then
        rm -rf "$cache"
        mkdir -p "$cache"
        echo "making the hosts' root folder in $cache (once, about a minute)"
        local mirror
        mirror=$(sed -nE 's/^(deb |URIs: )(\[[^]]*\] *)?(https?:[^ ]+).*/\3/p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
            grep -v security | head -1 || true)
        debootstrap --variant=minbase \
            --include=nfs-kernel-server,nfs-common,openssh-server,iproute2,procps,kmod,quota,e2fsprogs,rpcbind \
            bookworm "$image" "${mirror:-http://deb.debian.org/debian}" >"$cache/log" || { tail "$cache/log" >&2; exit 1; }
        mkdir -p "$image/lib/modules" "$image/corpus" "$image/small" "$image/srv" "$image/opt/attune" "$image/opt/source"
        cp -r /usr/lib/uml/modules/* "$image/lib/modules/"
        for version in "$image"/lib/modules/*; do chroot "$image" depmod "$(basename "$version")"; done
        chroot "$image" useradd --uid 1000 --create-home worker
        ssh-keygen -q -t ed25519 -N '' -f "$cache/key"
        cp "$cache/key.pub" "$image/etc/ssh/attune_keys"
        cat >>"$image/etc/ssh/sshd_config" <<CONF
AuthorizedKeysFile /etc/ssh/attune_keys
StrictModes no
PermitRootLogin yes
UsePAM no
UseDNS no
MaxSessions 50
CONF
        cat >"$image/sbin/attune-host" <<'INIT'
#!/bin/bash
# Process 1 of a host: its file systems, its name, its network, and a shell by ssh.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
for folder in /run /tmp /var/tmp /var/lib/nfs /home /dev/shm; do mount -t tmpfs tmpfs $folder; done
chmod 1777 /tmp /var/tmp
mkdir -p /run/sshd /home/worker
chown 1000:1000 /home/worker
for word in $(cat /proc/cmdline); do
    case $word in
    host.name=*) hostname "${word#*=}" ;;
    host.address=*) address=${word#*=} ;;
    host.files=*) files=${word#*=} ;;
    esac
done
ip link set lo up
ip link set eth0 up
ip address add "$address/24" dev eth0
# What the test gives all hosts, read-only.
mount -t hostfs none /opt/attune -o "$files"
/usr/sbin/sshd
while true; do sleep 1000 & wait; done
INIT
        chmod +x "$image/sbin/attune-host"
        touch "$cache/complete-2"
    fi
    space=attune-$$
    ip netns add "$space"
    inside ip link add bridge type bridge
    inside ip address add 10.77.0.254/24 dev bridge
    inside ip link set bridge up
    inside ip link set lo up
    declare -gA pid
    # What attune loads, for hosts that have nothing but libc.
    mkdir -p "$work/files/bin" "$work/files/lib"
    cp "$ATTUNE" "$work/files/bin/attune"
    ldd "$ATTUNE" | awk '$2 == "=>" { print $3 }' | grep -vE '/(libc|libm|libdl|libpthread|librt|libresolv|ld-linux[^/]*)\.so' |
        while read -r library; do cp -L "$library" "$work/files/lib/"; done
}

inside() { ip netns exec "$space" "$@"; }

boot() {
    local name=$1 number=$2 memory=$3
    shift 3
    inside ip tuntap add "$name" mode tap
    inside ip link set "$name" master bridge up
    # Its memory is a file there; a disk would be busy with it.
    TMPDIR=/dev/shm ip netns exec "$space" setsid linux.uml "mem=$memory" root=/dev/root rootfstype=hostfs "rootflags=$image" ro init=/sbin/attune-host \
        con=null con0=null,fd:1 ssl=null quiet "eth0=tuntap,$name" \
        "host.name=$name" "host.address=10.77.0.$number" "host.files=$work/files" "$@" \
        >"$work/$name.console" 2>&1 </dev/null &
    pid[$name]=$!
    address[$name]=10.77.0.$number
    local tries=0
    until root "$name" true 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || { tail -20 "$work/$name.console" >&2; echo "$0: host $name does not start" >&2; exit 1; }
        sleep 0.2
    done
}
declare -A address

login() {
    local user=$1 name=$2
    shift 2
    inside ssh -q -i "$cache/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=30 -o ConnectionAttempts=3 -o ServerAliveInterval=30 \
        -o ControlMaster=auto -o "ControlPath=$work/ssh-%r-%h" -o ControlPersist=yes "$user@${address[$name]}" "$@"
}
root() { local name=$1; shift; login root "$name" "$@"; }
on() {
    local name=$1
    shift
    login worker "$name" "export LD_LIBRARY_PATH=/opt/attune/lib PATH=/opt/attune/bin:\$PATH ATTUNE_THREADS=1 OMP_NUM_THREADS=1; cd /corpus; $*"
}

# The kernel and all its processes are gone at once; nothing is written any more.
power_off() {
    local name=$1
    kill -KILL -- "-${pid[$name]}" 2>/dev/null || true
    wait "${pid[$name]}" 2>/dev/null || true
    local socket
    for socket in "$work/ssh-"*"-${address[$name]}"; do
        [ ! -S "$socket" ] || ssh -q -O exit -o "ControlPath=$socket" "$name" 2>/dev/null || true
        rm -f "$socket"
    done
    inside ip link del "$name" 2>/dev/null || true
}

stop_hosts() {
    local name
    for name in "${!pid[@]}"; do power_off "$name"; done
    ip netns del "$space" 2>/dev/null || true
}
