#!/bin/sh
# hosts.sh PYTHON [ARGUMENTS of pytest]: the tests on booted Debian machines (tests/hosts).
# hosts.sh PYTHON --bench: the benchmark of the look from inside (bench/inside.py).
# hosts.sh PYTHON --fixtures: records the reports in tests/checks/inside/fixtures anew.
# Needs root; makes one base tree for each release, once (a minute or two and 900 MB each), in tests/.cache/hosts;
# delete it to have it made anew.
#
# Everything runs in namespaces of its own (processes, mounts, network): when the tests end, or are killed, no machine,
# no mount and no address is left behind.
set -eu
python=$1
shift
cache=tests/.cache/hosts
# Where this machine itself gets Debian from.
# shellcheck disable=SC2016  # apt's own placeholder
mirror=${FEDISEC_DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep debian | grep -v security | head -n 1 || true)}
mirror=${mirror%/}

skip() {
    echo "skipped: the tests on booted Debian machines $1"
    exit 0
}

[ "$(id -u)" -eq 0 ] || skip "need root"
if command -v apt-get >/dev/null 2>&1 && ! { command -v debootstrap && command -v systemd-nspawn; } >/dev/null 2>&1; then
    echo "installing: debootstrap systemd-container"
    apt-get update -qq || true
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        debootstrap systemd-container </dev/null >/dev/null || true
fi
[ -n "$mirror" ] || skip "need a Debian mirror (FEDISEC_DEBIAN_MIRROR)"
for tool in debootstrap systemd-nspawn ip unshare; do
    command -v "$tool" >/dev/null 2>&1 || skip "need $tool"
done
grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || skip "need overlayfs"
# In a container root is often not allowed what booting a machine takes.
unshare --mount --pid --net --fork --mount-proc sh -c 'mount -t tmpfs probe /mnt && ip link add fedi0 type veth peer name fedi1' \
    >/dev/null 2>&1 || skip "need namespaces, mounts and virtual network links of their own"

# What a fediverse server has: systemd, SSH, a firewall, a ban tool, the databases, a web server, updates.
packages="systemd systemd-sysv dbus openssh-server sudo iproute2 nftables iptables ufw fail2ban python3-minimal
    python3-systemd redis-server postgresql cron unattended-upgrades nginx-light certbot ca-certificates"

# What is wanted on few machines only, in a layer of its own above the tree.
more="crowdsec lynis"

# build RELEASE: in a folder beside, so that a tree that is there is whole.
build() {
    release=$1
    tree=$cache/$release
    part=$cache/.$release.part
    log=$cache/$release.log
    echo "building $tree (log: $log)"
    rm -rf "$part"
    timeout -k 5 600 debootstrap --variant=minbase "$release" "$part" "$mirror" >"$log" 2>&1 || return 1
    cat >"$part/etc/apt/sources.list" <<LIST
deb $mirror $release main
deb $mirror $release-updates main
deb $mirror-security $release-security main
LIST
    # Nothing is started while it is installed.
    printf '#!/bin/sh\nexit 101\n' >"$part/usr/sbin/policy-rc.d"
    chmod 755 "$part/usr/sbin/policy-rc.d"
    cp /etc/resolv.conf "$part/etc/resolv.conf"
    # shellcheck disable=SC2086  # a list of names
    in_tree "$part" apt-get update >>"$log" 2>&1 &&
        in_tree "$part" apt-get -y dist-upgrade >>"$log" 2>&1 &&
        in_tree "$part" apt-get install -y --no-install-recommends $packages >>"$log" 2>&1 || return 1
    in_tree "$part" apt-get clean
    rm -f "$part/usr/sbin/policy-rc.d"
    rm -rf "$tree-more"
    mv "$part" "$tree"
}

# add_layer RELEASE: what installing the further packages changes in the tree, which stays as it is.
add_layer() {
    release=$1
    part=$cache/.$release-more.part
    log=$cache/$release-more.log
    echo "building $cache/$release-more (log: $log)"
    rm -rf "$part"
    mkdir -p "$part/upper/usr/sbin" "$part/upper/etc/crowdsec" "$part/work" "$part/root"
    printf '#!/bin/sh\nexit 101\n' >"$part/upper/usr/sbin/policy-rc.d"
    chmod 755 "$part/upper/usr/sbin/policy-rc.d"
    cp /etc/resolv.conf "$part/upper/etc/resolv.conf"
    # Not empty: so its package knows that it shall not register with its makers.
    echo '# never registered' >"$part/upper/etc/crowdsec/online_api_credentials.yaml"
    mount -t overlay -o "lowerdir=$cache/$release,upperdir=$part/upper,workdir=$part/work" overlay "$part/root" || return 1
    # shellcheck disable=SC2086  # a list of names
    in_tree "$part/root" apt-get install -y --no-install-recommends $more >"$log" 2>&1 || return 1
    in_tree "$part/root" apt-get clean
    rm -f "$part/root/usr/sbin/policy-rc.d"
    umount "$part/root"
    mv "$part/upper" "$cache/$release-more"
    rm -rf "$part"
}

in_tree() {
    in_root=$1
    shift
    timeout -k 5 600 chroot "$in_root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"
}

# In a namespace of mounts of its own.
if [ "$python" = --layer ]; then
    add_layer "$1"
    exit
fi

mkdir -p "$cache"
for release in bookworm trixie; do
    [ -d "$cache/$release" ] || build "$release" || {
        tail -5 "$cache/$release.log"
        skip "need the tree of $release, and building it failed (see above)"
    }
    [ -d "$cache/$release-more" ] || unshare --mount sh "$0" --layer "$release" || {
        tail -5 "$cache/$release-more.log"
        skip "need the layer above $release, and building it failed (see above)"
    }
done

FEDISEC_HOSTS=$(cd "$cache" && pwd)
export FEDISEC_HOSTS
if [ "${1:-}" = --bench ]; then
    set -- -m bench.inside
elif [ "${1:-}" = --fixtures ]; then
    set -- -m tests.hosts.fixtures
else
    set -- -m pytest -p no:randomly tests/hosts "$@"
fi
exec unshare --mount --pid --fork --kill-child --mount-proc "$python" -m tests.lab.netns "$python" "$@"
