#!/bin/sh
# The real servers that the tests run against.  As root on Debian or Ubuntu the missing ones are installed,
# without being started; otherwise they are named, and the tests that need them say so and are skipped.
set -eu

packages=""
need() {
    PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1 || packages="$packages $2"
}
need nginx nginx-light
need nsd nsd
need ldns-signzone ldnsutils
need unbound unbound
need sshd openssh-server
need gnutls-serv gnutls-bin
need caddy caddy
need redis-server redis-server
need openssl openssl
need xgettext gettext
need shellcheck shellcheck
# Shells that the collector must run under, and what shows that it only reads.
need mksh mksh
need busybox busybox
need strace strace
need sudo sudo
need chromium chromium
need ip iproute2
# `ls` of a pattern that fits nothing fails: no PostgreSQL server of any version.
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || packages="$packages postgresql"
fc-list :lang=ja 2>/dev/null | grep -q . || packages="$packages fontconfig fonts-noto-cjk"

[ -n "$packages" ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "missing, the tests that need them are skipped:$packages"
    exit 0
fi
echo "installing:$packages"
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    # Installing must not start a server on this machine.
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086  # a list of names
if ! { apt-get update -qq && apt-get install -y -qq -o DPkg::Lock::Timeout=120 --no-install-recommends $packages </dev/null >/dev/null; }; then
    echo "could not install (see above), the tests that need them are skipped:$packages" >&2
    # On a CI machine nothing may be left out unnoticed.
    [ -z "${CI:-}" ]
fi
