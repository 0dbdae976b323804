#!/bin/sh
# setup.sh: the scanners of the TLS matrix that Debian has.  sslyze lives in bench/.env (bench/requirements.txt).
set -eu

packages=""
for pair in sslscan:sslscan nmap:nmap testssl:testssl.sh; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || packages="$packages ${pair#*:}"
done
[ -n "$packages" ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "missing, their rows are left out:$packages"
    exit 0
fi
echo "installing:$packages"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086  # a list of names
apt-get update -qq && apt-get install -y -qq -o DPkg::Lock::Timeout=120 --no-install-recommends $packages </dev/null >/dev/null
