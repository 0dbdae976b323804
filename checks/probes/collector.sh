#!/bin/sh
# fedisec's collector: says what a server looks like from inside, and changes nothing.
#
# It reads, and asks the server's own tools questions that only read.  It writes no file, opens no connection but
# to this machine's own services, takes no argument and no input, and prints no secret: of configuration it shows
# chosen lines only, and of a password only whether one is set.  Plain POSIX sh.  Every section has 8 seconds (the
# plan of updates 15) and 64 KiB, all of them together a minute.  What root alone may see is missing, and said to be
# missing, where another user runs it.
#
# Three traces remain: PostgreSQL logs one refused login of "fedisec_probe_nosuchrole" for each address that is
# tried, systemd starts its time service to answer and says so in the journal, and dnf notes in its own log that it
# was asked.
#
# /etc/fedisec-collect.conf, where root owns it, adds places, one a line:
#     backup_dir=/srv/dumps
#     unit=myapp.service
#     config=/srv/mastodon/.env.production
#
# The output, read by checks/parse/collector.py: "@fedisec 1"; for each section "@sec NAME", its lines behind one
# space each, " =rc STATUS" (and " cut" where it was longer), "@end NAME ms=N"; at last "@done UID".
# shellcheck disable=SC2016  # awk's dollars and other programs' formats stand in single quotes on purpose

SECONDS_PER_SECTION=8
SECONDS_FOR_APT=15
SECONDS_IN_ALL=44
BYTES_PER_SECTION=65536
BYTES_NFT=262144
BYTES_IN_ALL=840000
CONFIG=/etc/fedisec-collect.conf

SECTIONS='meta release sshd_effective sshd_files sshd_unit login_notice crowdsec nft iptables ufw firewalld sockets docker
    apt_config update_units update_stamps reboot mac accounts time disk redis postgres backups cert_renewal units app_files
    app_config app_accounts waf proxy edr opensnitch egress mail packages fail2ban versions updates_pending'
# What takes longest runs beside the others and is told last; until then it waits in pipes, which hold 64 KiB each.
# The bound on bytes in all is that of the others; with these three the report stays under 1 MiB.
ASIDE=' fail2ban versions updates_pending '

# ---- the frame ----------------------------------------------------------------------------------------------------

main() {
    settle_environment
    find_limit
    clock
    started=$now
    bytes=0
    sections aside | report
}

report() {
    exec 3<&0 </dev/null
    printf '@fedisec 1\n'
    sections
    cat <&3
    printf '@done %s\n' "$(id -u)"
}

# sections [aside]: those that run beside the others, or the others.
sections() {
    for name in $SECTIONS; do
        case $ASIDE in
            *" $name "*) [ "${1:-}" = aside ] || continue ;;
            *) [ "${1:-}" != aside ] || continue ;;
        esac
        # Without timeout(1) nothing that could hang is run at all.
        [ -n "$limit" ] || [ "$name" = meta ] || continue
        section "$name"
    done
}

settle_environment() {
    umask 077
    cd / || exit 1
    set +e +u
    unset IFS CDPATH ENV BASH_ENV LD_PRELOAD LD_LIBRARY_PATH GREP_OPTIONS SSH_ORIGINAL_COMMAND PYTHONPATH PYTHONHOME PERL5LIB \
        PERL5OPT RUBYOPT NODE_OPTIONS PHPRC PSQLRC PGSERVICE PGSERVICEFILE PGPASSWORD PGOPTIONS PGSSLMODE PGDATABASE PGHOSTADDR \
        REDISCLI_AUTH DOCKER_CONTEXT CONTAINER_HOST SYSTEMD_HOST DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR XDG_CONFIG_HOME \
        APT_CONFIG RES_OPTIONS
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    # Below /dev/null no tool can leave anything behind.
    LC_ALL=C TZ=UTC HOME=/dev/null TERM=dumb PAGER=cat SYSTEMD_PAGER='' SYSTEMD_COLORS=0
    # No compiled Python beside a tool's source; Docker by its local socket and nowhere else.
    PYTHONDONTWRITEBYTECODE=1 DOCKER_HOST=unix:///var/run/docker.sock
    PGPASSFILE=/dev/null/none PGCONNECT_TIMEOUT=3 PGGSSENCMODE=disable
    export PATH LC_ALL TZ HOME TERM PAGER SYSTEMD_PAGER SYSTEMD_COLORS PYTHONDONTWRITEBYTECODE DOCKER_HOST PGPASSFILE \
        PGCONNECT_TIMEOUT PGGSSENCMODE
    renice -n 10 -p $$ >/dev/null 2>&1
}

# timeout(1) of coreutils and of BusyBox, and that of BusyBox before 1.30.
find_limit() {
    if timeout -k 1 5 true >/dev/null 2>&1; then
        limit='timeout -k 1'
    elif timeout -t 5 true >/dev/null 2>&1; then
        limit='timeout -t'
    else
        limit=
    fi
}

# brief SECONDS COMMAND...: one command that must not use up the time of its section.
brief() {
    # shellcheck disable=SC2086  # two words
    $limit "$@" </dev/null
}

# Hundredths of a second since the machine started, without starting a process.
clock() {
    now=0
    [ -r /proc/uptime ] && read -r now _ </proc/uptime && now=${now%.*}${now#*.}
}

# The bound is on the reader, so that a command which no signal reaches cannot hold the report up either.  The
# section itself runs in the background; when its time is up, it and all that it started are ended.
section() {
    clock
    begun=$now
    most=$BYTES_PER_SECTION
    [ "$1" != nft ] || most=$BYTES_NFT
    seconds=$SECONDS_PER_SECTION
    # Without its cache apt reads all lists anew: on a small machine under load that takes longer than all the rest.
    [ "$1" != updates_pending ] || seconds=$SECONDS_FOR_APT
    [ "$most" -le $((BYTES_IN_ALL - bytes)) ] || most=$((BYTES_IN_ALL - bytes))
    printf '@sec %s\n' "$1"
    if [ $((now - started)) -gt $((SECONDS_IN_ALL * 100)) ]; then
        printf ' =rc 124\n'
    elif [ "$most" -lt 1024 ]; then
        printf ' =rc 0 cut\n'
    else
        { answer "$1" & } | { receive "$most"; } | framed "$most"
        bytes=$((bytes + $? * 2048))
    fi
    clock
    printf '@end %s ms=%d\n' "$1" $(((now - begun) * 10))
}

# Runs one section; its process number stands in front, its status behind.
answer() {
    exec </dev/null 2>&1 3<&-
    # Its own number: that in front is of the process that reads.
    { read -r pid _ </proc/self/stat && echo "$pid"; } 2>/dev/null || sh -c 'echo "$PPID"'
    "section_$1"
    printf '\n=rc %d\n' "$?"
}

receive() {
    read -r leader
    # shellcheck disable=SC2086  # two words, or none
    ${limit:+$limit $seconds} head -c "$1"
    ended=$?
    [ "$ended" -eq 0 ] || end_tree "$leader"
    printf '\n@%d\n' "$ended"
}

# end_tree PID: the process and its descendants.
end_tree() {
    [ -n "$1" ] || return
    tree=$(cat /proc/[0-9]*/status 2>/dev/null | awk -v top="$1" '
        /^Pid:/ { pid = $2 }
        /^PPid:/ { parent[pid] = $2 }
        END {
            tree[top]
            do {
                more = 0
                for (pid in parent) if (!(pid in tree) && (parent[pid] in tree)) { tree[pid]; more = 1 }
            } while (more)
            for (pid in tree) print pid
        }')
    # shellcheck disable=SC2086  # a list of numbers
    { kill -TERM $tree; sleep 1; kill -KILL $tree; } >/dev/null 2>&1
}

# framed BYTES: puts a space before each line and the status at the end.  The last lines are held back: the section's
# own status and, last of all, how `receive` ended; what a section prints itself is never taken for them.  The exit
# status tells the size, in units of 2 KiB.
framed() {
    tr -d '\000' | awk -v most="$1" '
        function out(line) {
            if (full) return
            if (size + length(line) + 2 > most) { full = 1; return }
            size += length(line) + 2
            print " " line
        }
        NR > 4 { out(fourth) }
        { fourth = third; third = second; second = first; first = $0 }
        END {
            # From behind: "@HOW"; an empty line, or what is left of one that was cut; "=rc N"; an empty line, or the
            # last one of a section that does not end it.
            how = substr(first, 2) + 0
            if (NR > 3 && fourth != "") out(fourth)
            if (second == "" && third ~ /^=rc [0-9]+$/) { own = third } else { if (NR > 2) out(third); out(second) }
            if (how != 0) print " =rc 124"
            else if (full || own == "") print " =rc 141 cut"
            else print " " own
            exit int((size + 2047) / 2048)
        }'
}

# ---- small words --------------------------------------------------------------------------------------------------

has() { command -v "$1" >/dev/null 2>&1; }

root() { [ "$(id -u)" -eq 0 ]; }

part() { printf '== %s\n' "$*"; }

# asked COMMAND: true where it is there, else the whole section is said to be absent.
asked() {
    has "$1" && return
    part "$1 absent"
    return 1
}

# unreachable PATH: true where some folder on the way may not be entered, so that nothing can be said of the path.
unreachable() {
    way=${1%/*}
    while [ -n "$way" ]; do
        if [ -d "$way" ]; then
            [ ! -x "$way" ] || { [ "$way/*.conf" = "$1" ] && [ ! -r "$way" ]; }
            return
        fi
        way=${way%/*}
    done
    return 1
}

# described LABEL PATH: the head of a part that shows a file; false where there is nothing to show.
described() {
    if [ -f "$2" ] && [ -r "$2" ]; then
        stat -L -c "== $1%n %a %U %G %Y" "$2"
    elif [ -e "$2" ] || unreachable "$2"; then
        # Of a pattern that could not be looked through, the folder.
        part "$1${2%/\*.conf} denied"
        return 1
    else
        return 1
    fi
}

# lines_of PATH: without comments and empty lines.
lines_of() { grep -Ev '^[[:space:]]*([#;]|$)' "$1"; }

# managed LABEL: true where systemd answers, else a part that says why not.
managed() {
    if ! has systemctl; then
        part "$1 absent"
    elif ! refused=$(systemctl show -p Version --no-pager 2>&1); then
        part "$1"
        printf '%s\n' "$refused"
    else
        return 0
    fi
    return 1
}

# show PROPERTIES UNIT...: nothing where no unit is named.
show() {
    properties=$1
    shift
    [ $# -eq 0 ] || systemctl show "$@" -p "$properties" --no-pager
}

# units_like PATTERN...: names of the units there are, loaded or only installed, without bare templates.
units_like() {
    {
        systemctl list-units --all --plain --no-legend --no-pager "$@"
        systemctl list-unit-files --no-legend --no-pager "$@"
    } 2>/dev/null | awk '$1 !~ /@\.[a-z]+$/ { print $1 }' | sort -u
}

# configured KEY: the values of a key in the administrator's file.
configured() {
    [ -f "$CONFIG" ] && [ -r "$CONFIG" ] || return
    case $(stat -L -c '%u %A' "$CONFIG") in
        '0 -'????'-'??'-'?) ;;
        *) return ;;
    esac
    while IFS='=' read -r key value || [ -n "$key" ]; do
        [ "$key" = "$1" ] && [ -n "$value" ] && printf '%s\n' "$value"
    done <"$CONFIG"
}

# scheduled WORDS: FILE WORD for each word that a job of cron mentions; never the job itself, it may hold a token.
scheduled() {
    # What Debian leaves in cron for machines without systemd does nothing on those with it.
    idle='^[[:space:]]*#'
    [ ! -d /run/systemd/system ] || idle="$idle|! -d /run/systemd/system"
    for file in /etc/crontab /etc/anacrontab /etc/cron.d/* /etc/cron.hourly/* /etc/cron.daily/* /etc/cron.weekly/* \
        /etc/cron.monthly/* /var/spool/cron/crontabs/* /var/spool/cron/* /etc/crontabs/* /etc/periodic/*/*; do
        case ${file##*/} in
            # They save lists of packages and accounts, no data.
            dpkg | passwd | aptitude | apt-compat | .placeholder) continue ;;
        esac
        if [ -f "$file" ] && [ -r "$file" ]; then
            grep -Ev -- "$idle" "$file" | grep -Eo -- "$1" | sort -u | sed "s|^|${file} |"
        elif [ -f "$file" ]; then
            printf 'denied %s\n' "$file"
        fi
    done
    for folder in /var/spool/cron/crontabs /var/spool/cron /etc/crontabs; do
        [ -d "$folder" ] && [ ! -r "$folder" ] && printf 'denied %s\n' "$folder"
    done
    return 0
}

# ---- the machine --------------------------------------------------------------------------------------------------

section_meta() {
    printf 'now %s\n' "$(date +%s)"
    printf 'uid %s\n' "$(id -u)"
    printf 'groups %s\n' "$(id -Gn 2>/dev/null)"
    printf 'kernel %s\n' "$(uname -srm)"
    if has systemd-detect-virt; then
        printf 'virt %s\n' "$(systemd-detect-virt 2>/dev/null)"
    else
        printf 'virt absent\n'
    fi
    if [ -r /proc/1/comm ]; then
        printf 'init %s\n' "$(cat /proc/1/comm)"
    else
        printf 'init denied\n'
    fi
}

section_release() {
    if [ -e /etc/os-release ]; then cat /etc/os-release; else cat /usr/lib/os-release; fi
}

section_reboot() {
    part required
    for file in /run/reboot-required /run/reboot-required.pkgs /var/run/reboot-required; do
        [ -e "$file" ] || continue
        printf '%s\n' "$file"
        [ "${file##*.}" != pkgs ] || sort -u "$file"
    done
    part running
    uname -r
    part kernels
    for file in /boot/vmlinuz-*; do
        [ -e "$file" ] && printf '%s\n' "$file"
    done
    if has needrestart; then
        part needrestart
        needrestart -b -k -r l
    else
        part needrestart absent
    fi
}

section_mac() {
    part apparmor_enabled
    cat /sys/module/apparmor/parameters/enabled 2>/dev/null
    part lsm
    cat /sys/kernel/security/lsm 2>/dev/null
    part unit
    has systemctl && show Id,LoadState,ActiveState,ConditionResult apparmor.service
    profiles=/sys/kernel/security/apparmor/profiles
    if [ ! -e "$profiles" ]; then
        part aa_status absent
    elif loaded=$(cat "$profiles" 2>/dev/null); then
        part aa_status
        printf '%s\n' "$loaded" | awk '
            match($0, /\([a-z]+\)$/) { count[substr($0, RSTART + 1, RLENGTH - 2)]++ }
            END { for (mode in count) print mode, count[mode] }' | sort
    else
        part aa_status denied
    fi
    part selinux
    cat /sys/fs/selinux/enforce 2>/dev/null
    part selinux_config
    grep -E '^SELINUX=' /etc/selinux/config 2>/dev/null
    return 0
}

section_accounts() {
    part uid0
    awk -F: '$3 == 0 { print $1 }' /etc/passwd
    if [ -r /etc/shadow ]; then
        part empty
        awk -F: '$2 == "" { print $1 }' /etc/shadow
    else
        part empty denied
    fi
    part admins
    # The file, not getent: a group that is not there would be looked up in a directory on the network.
    awk -F: '$1 ~ /^(sudo|wheel|admin|docker|lxd|adm)$/ { print $1 ":" $4 }' /etc/group
    part shells
    awk -F: '$7 !~ /(nologin|false|sync|halt|shutdown)$/ { n++ } END { print n + 0 }' /etc/passwd
}

section_time() {
    if has timedatectl; then
        timedatectl show -p NTP -p NTPSynchronized
    else
        part timedatectl absent
    fi
    if has chronyc; then
        part chrony
        # By address: with its socket in /run it would have to make one of its own there.
        brief 3 chronyc -n -h 127.0.0.1 tracking
    else
        part chrony absent
    fi
}

section_disk() {
    for what in bytes:-PkT inodes:-PiT; do
        part "${what%%:*}"
        local_space "${what#*:}" 2>&1 | awk '
            NR == 1 { print; next }
            $2 ~ /^(tmpfs|devtmpfs|ramfs|squashfs|efivarfs|iso9660|nsfs|fuse\..*)$/ { next }
            $2 == "overlay" && $7 != "/" { next }
            $7 == "/boot/efi" { next }
            { print }'
    done
}

# Only local file systems: a dead network mount would hold the answer up.  BusyBox has to be told which they are.
local_space() {
    if df -l / >/dev/null 2>&1; then
        df "$1l"
    else
        # shellcheck disable=SC2046  # a list of folders
        df "$1" $(awk '$3 ~ /^(ext[234]|xfs|btrfs|zfs|f2fs|bcachefs|jfs|overlay)$/ { print $2 }' /proc/mounts)
    fi
}

# ---- SSH ----------------------------------------------------------------------------------------------------------

# Settings that may carry a token in their arguments are shown without these.
without_arguments() {
    awk '
        { line = $0; sub(/^[ \t]+/, "", line); split(line, word, /[ \t=]+/); key = tolower(word[1]) }
        key == "setenv" { print word[1]; next }
        key ~ /^(authorizedkeyscommand|authorizedprincipalscommand|forcecommand)$/ { print word[1], word[2]; next }
        { print }'
}

section_sshd_effective() {
    if ! has sshd; then
        part G absent
        return 127
    fi
    if said=$(sshd -G 2>&1); then
        part G
    elif said=$(sshd -T 2>&1) || said=$(sshd -T -C user=nosuchuser,host=none,addr=192.0.2.1 2>&1); then
        part T
    elif root; then
        part T
    else
        part T denied
    fi
    worked=$?
    printf '%s\n' "$said" | without_arguments
    part version
    { sshd -V; ssh -V; } 2>&1 | sed -n '/OpenSSH_/{p;q;}'
    return "$worked"
}

section_sshd_files() {
    for file in /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf /usr/etc/ssh/sshd_config; do
        described '' "$file" && lines_of "$file" | without_arguments
    done
    return 0
}

section_sshd_unit() {
    asked systemctl || return 127
    show Id,LoadState,ActiveState,ActiveEnterTimestamp ssh.service sshd.service ssh.socket sshd.socket
}

section_login_notice() {
    part pam
    for file in /etc/pam.d/sshd /etc/pam.d/common-session; do
        [ -r "$file" ] && awk -v file="$file" '
            /^[ \t]*#/ || !/pam_exec/ { next }
            {
                program = "?"
                for (n = 1; n <= NF; n++) if ($n ~ /pam_exec/) break
                for (n++; n <= NF; n++) if ($n ~ /^\//) { program = $n; break }
                print file ":" FNR " " program
            }' "$file"
    done
    part sshrc
    [ -e /etc/ssh/sshrc ] && ls -l /etc/ssh/sshrc
    part profile
    for file in /etc/profile.d/*; do
        [ -r "$file" ] && grep -Eqw 'curl|wget|mail|sendmail|notify' "$file" && printf '%s\n' "$file"
    done
    return 0
}

section_fail2ban() {
    part unit
    has systemctl && show Id,LoadState,ActiveState,UnitFileState,Result fail2ban.service
    if ! has fail2ban-client; then
        part status absent
        return 127
    fi
    part status
    status=$(fail2ban-client status 2>&1)
    printf '%s\n' "$status"
    for jail in $(printf '%s\n' "$status" | sed -n 's/.*Jail list:[[:space:]]*//p' | tr ',' ' '); do
        case $jail in
            *[!A-Za-z0-9_.-]* | -*) continue ;;
            *ssh*) ;;
            *) continue ;;
        esac
        part jail "$jail"
        fail2ban-client status "$jail" 2>&1 | grep -v 'Banned IP list'
    done
    part config
    fail2ban-client -d 2>&1 |
        grep -E "^\['(add'|set', '[^']*', '(logpath|addlogpath|addjournalmatch)')|ermission denied"
    part logs
    for file in /var/log/auth.log /var/log/secure; do
        [ -e "$file" ] && ls -l "$file"
    done
    return 0
}

section_crowdsec() {
    part units
    has systemctl && show Id,LoadState,ActiveState crowdsec.service crowdsec-firewall-bouncer.service crowdsec-nginx-bouncer.service
    if ! has cscli; then
        part bouncers absent
    elif ! root; then
        part bouncers denied
    elif has systemctl && ! systemctl -q is-active crowdsec.service 2>/dev/null; then
        # The tool would open the database itself, and make its side files.
        part bouncers inactive
    else
        part bouncers
        # Its JSON shows the hash of each key; of the raw list only these columns.
        brief 4 cscli bouncers list -o raw 2>&1 | awk -F, '
            NR == 1 { for (n = 1; n <= NF; n++) if ($n ~ /^(name|revoked|valid|last_pull|type)$/) keep[++k] = n }
            k == 0 { next }
            { for (n = 1; n <= k; n++) printf "%s%s", $keep[n], n < k ? "," : "\n" }'
    fi
    if [ -d /etc/crowdsec/collections ]; then
        part collections
        ls /etc/crowdsec/collections
    else
        part collections absent
    fi
}

# ---- what is open -------------------------------------------------------------------------------------------------

section_nft() {
    asked nft || return 127
    # Which tables sleep: the JSON of nft 1.0.6 has random words there, that of older ones nothing.
    part tables
    nft -t list ruleset 2>/dev/null | awk '/^table / || /^\tflags /'
    part rules
    # It warns of tables that are iptables' own; the rules are one line.
    nft -t -j list ruleset 2>&1 | grep -v '^# Warning: '
}

section_iptables() {
    if ! has iptables; then
        part variant absent
        return 127
    fi
    part variant
    variant=$(iptables -V 2>&1)
    printf '%s\n' "$variant"
    tables4 v4 iptables /proc/net/ip_tables_names
    tables4 v6 ip6tables /proc/net/ip6_tables_names
}

# tables4 LABEL COMMAND NAMES: asking the old kind for its rules would load its tables, if none is there.
tables4() {
    if ! has "$2"; then
        part "$1" absent
    elif ! root; then
        part "$1" denied
    elif case $variant in *nf_tables*) false ;; esac && [ -z "$(cat "$3" 2>/dev/null)" ]; then
        part "$1" absent
    else
        part "$1"
        "$2" -S
        for table in mangle raw; do
            case $variant in *nf_tables*) ;; *) grep -qx "$table" "$3" 2>/dev/null || continue ;; esac
            part "$1_$table"
            "$2" -t "$table" -S
        done
    fi
}

section_ufw() {
    part conf
    for file in /etc/ufw/ufw.conf /etc/default/ufw; do
        [ -r "$file" ] && grep -E '^(ENABLED|IPV6|DEFAULT_[A-Z]+_POLICY)=' "$file"
    done
    if ! has ufw; then
        part status absent
        return 127
    fi
    part status
    if ! root; then
        ufw status verbose
    # Its command would write the file of its lock; what it prints can be had without, or at least how it starts.
    elif "$(interpreter ufw)" -IBc '
import gettext, sys
sys.argv = sys.argv[1:]
gettext.install("ufw")
import ufw.frontend
print(ufw.frontend.UFWFrontend(False).get_status(verbose=True))' "$(command -v ufw)" 2>/dev/null; then
        :
    elif iptables -S ufw-user-input >/dev/null 2>&1; then
        echo 'Status: active'
    else
        echo 'Status: inactive'
    fi
}

# interpreter SCRIPT: the program that its first line names.
interpreter() {
    sed -n '1s/^#! *\([^ ]*\).*/\1/p' "$(command -v "$1")"
}

section_firewalld() {
    if ! has firewall-cmd; then
        part state absent
        return 127
    fi
    part state
    if has systemctl && ! systemctl -q is-active firewalld.service 2>/dev/null; then
        # Asking could start it.
        echo 'not running'
        return 0
    fi
    firewall-cmd --state
    part zones
    firewall-cmd --list-all-zones 2>&1 | awk '
        /^[^ \t]/ { active = / \(.*active.*\)/ || /denied|[Aa]uthoriz|not running/ }
        active'
}

section_sockets() {
    if has ss; then
        ss -Hlntue
        return
    fi
    part tcp
    cat /proc/net/tcp
    part tcp6
    cat /proc/net/tcp6
}

section_docker() {
    if has docker; then
        ask_docker
    elif [ -x /snap/bin/docker ] && root && [ -d /root/snap/docker ]; then
        PATH=$PATH:/snap/bin
        ask_docker
    elif [ -x /snap/bin/docker ]; then
        # Run for the first time, a snap makes a folder in the home of who runs it.
        part version denied
        part ps denied
    else
        part version absent
        part ps absent
    fi
    part daemon
    [ -r /etc/docker/daemon.json ] && grep -E '"(hosts|iptables|ip6tables|userland-proxy)"|tcp://' /etc/docker/daemon.json
    part socket
    [ -e /run/docker.sock ] && stat -L -c '%a %U %G' /run/docker.sock
    if ! has podman; then
        part podman absent
    elif ! root; then
        part podman denied
    elif [ -d /run/libpod ] && [ -d /var/lib/containers/storage ]; then
        part podman
        brief 4 podman ps --no-trunc --format '{{.ID}}\t{{.Names}}\t{{.Image}}\t{{.Ports}}\t{{.Status}}'
    else
        # Never used since the machine started; podman would make its folders.
        part podman unused
    fi
    return 0
}

ask_docker() {
    part version
    docker version --format '{{.Server.Version}}'
    part ps
    docker ps --no-trunc --format '{{.ID}}\t{{.Names}}\t{{.Image}}\t{{.Ports}}\t{{.Status}}'
    part inspect
    # Never the environment, the command or the other labels: passwords stand there.
    running=$(docker ps -q --no-trunc 2>/dev/null)
    # shellcheck disable=SC2086  # a list of ids
    [ -z "$running" ] || docker inspect --format '{{.Id}}	{{.HostConfig.Privileged}}	{{.HostConfig.NetworkMode}}	{{range .Mounts}}{{if or (eq .Source "/var/run/docker.sock") (eq .Source "/run/docker.sock")}}docker.sock{{end}}{{end}}	{{.Image}}	{{index .Config.Labels "org.opencontainers.image.version"}}' $running
}

# ---- updates ------------------------------------------------------------------------------------------------------

section_apt_config() {
    asked apt-config || return 127
    apt-config dump |
        grep -E '^(APT::Periodic|Unattended-Upgrade::(Origins-Pattern|Allowed-Origins|Automatic-Reboot|Package-Blacklist))'
}

section_update_units() {
    asked systemctl || return 127
    show Id,LoadState,ActiveState,UnitFileState,LastTriggerUSec,Result,ExecMainStatus,ExecMainExitTimestamp \
        apt-daily.timer apt-daily-upgrade.timer apt-daily-upgrade.service unattended-upgrades.service dnf-automatic.timer \
        dnf-automatic-install.timer
}

section_update_stamps() {
    for file in /var/lib/apt/periodic/*; do
        [ -e "$file" ] && stat -c '%Y %n' "$file"
    done
    part kept_back
    [ -r /var/lib/unattended-upgrades/kept-back ] && cat /var/lib/unattended-upgrades/kept-back
    part history
    [ -r /var/log/apt/history.log ] && awk '
        /^Start-Date: / { start = $0 }
        /^Commandline: .*unattended-upgrade/ { print start; print "Commandline: /usr/bin/unattended-upgrade" }' \
        /var/log/apt/history.log | tail -n 10
    return 0
}

section_updates_pending() {
    if has apt-get; then
        part apt
        # A source's address may hold a password; what a package waits for is left out.
        simulate_upgrade | grep -E '^(Inst|E:|W:)' | sed -e 's|//[^/@ ]*@|//|g' -e 's/) \[.*/)/'
    else
        part apt absent
    fi
    if ! has dnf; then
        part dnf absent
    elif root; then
        part dnf
        dnf -q -C updateinfo list --security
    else
        # It would make a cache of its own for this user.
        part dnf denied
    fi
    return 0
}

# A simulation without the lock.  Even so root would write anew apt's cache, where it is old, and the record of the last
# plan (eipp.log.xz).  Nobody else can, and uses the cache that is there; where nobody may not read the sources, root
# plans in memory.  The nameless files that apt unpacks signatures into are kept in memory as well.
simulate_upgrade() {
    [ -w /dev/shm ] && export TMPDIR=/dev/shm
    set -- apt-get -s -o Debug::NoLocking=true -o Dir::Log::Planner= dist-upgrade
    if ! root; then
        "$@" 2>&1
    elif has setpriv && said=$(setpriv --reuid=65534 --regid=65534 --clear-groups "$@" 2>&1); then
        printf '%s\n' "$said"
    else
        "$@" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= 2>&1
    fi
}

# The packages that items or their advice speak of.
PACKAGES='openssh-server openssh-client openssl libssl3 libssl3t64 sudo systemd linux-image-amd64 linux-image-arm64 linux-image-generic
    nginx nginx-core nginx-full nginx-light nginx-extras nginx-common apache2 httpd caddy haproxy traefik varnish
    libnginx-mod-http-modsecurity libapache2-mod-security2 mod_security modsecurity-crs libmodsecurity3 libmodsecurity3t64
    redis redis-server redis-tools valkey valkey-server postgresql postgresql-client postgresql-common pgbouncer mariadb-server
    elasticsearch opensearch meilisearch docker-ce docker-ce-cli docker.io containerd containerd.io podman runc
    fail2ban crowdsec crowdsec-firewall-bouncer crowdsec-firewall-bouncer-iptables crowdsec-firewall-bouncer-nftables ufw nftables
    iptables firewalld apparmor unattended-upgrades apt-listchanges needrestart dnf-automatic
    ffmpeg libvips42 libvips42t64 libvips-tools imagemagick graphicsmagick nodejs ruby ruby-full elixir erlang-base php php-fpm
    python3 certbot lego dehydrated cloudflared cloudflare-warp tor wireguard-tools tailscale openvpn opensnitch wazuh-agent falco
    auditd osquery clamav rkhunter aide postfix exim4 opendkim rspamd restic borgbackup borgmatic pgbackrest barman rclone rsnapshot
    duplicity kopia autopostgresqlbackup akkoma pleroma misskey gotosocial pixelfed peertube lemmy friendica mastodon'

section_packages() {
    if has dpkg-query; then
        # shellcheck disable=SC2086  # a list of names
        dpkg-query -W -f '${db:Status-Abbrev}\t${Package}\t${Version}\t${source:Package}\t${source:Version}\n' \
            $PACKAGES 'postgresql-[0-9]*' 'linux-image-[0-9]*' 'php[0-9]*-fpm' 'libmagickcore-*' 2>/dev/null | grep '^.i'
    elif has rpm && { [ -d /var/lib/rpm ] || [ -d /usr/lib/sysimage/rpm ]; }; then
        # shellcheck disable=SC2086
        rpm -q --qf 'ii \t%{NAME}\t%{VERSION}-%{RELEASE}\t%{SOURCERPM}\t%{VERSION}-%{RELEASE}\n' $PACKAGES |
            grep -v 'is not installed'
    elif has apk; then
        # shellcheck disable=SC2086
        apk info -v 2>/dev/null | grep -E "^($(echo $PACKAGES | tr ' ' '|'))-[0-9]"
    else
        part dpkg-query absent
        return 127
    fi
    return 0
}

section_versions() {
    version nginx -v
    version apache2 -v
    version httpd -v
    version caddy version
    version haproxy -v
    version traefik version
    version redis-server --version
    version valkey-server --version
    version mariadbd --version
    version psql --version
    for program in /usr/lib/postgresql/*/bin/postgres /usr/pgsql-*/bin/postgres; do
        [ -x "$program" ] && printf 'postgres %s\n' "$("$program" --version 2>&1)"
    done
    version node --version
    version ruby --version
    # Of what an account has built for itself only the name is read: root runs nothing out of a user's folder.
    for folder in /home/*/.rbenv/versions/* /opt/rbenv/versions/* /opt/*/.rbenv/versions/* /var/www/*/.rbenv/versions/*; do
        [ -d "$folder" ] && printf 'ruby-rbenv %s\n' "${folder##*/}"
    done
    for file in /usr/lib/erlang/releases/*/OTP_VERSION /usr/lib64/erlang/releases/*/OTP_VERSION; do
        [ -r "$file" ] && printf 'erl %s\n' "$(head -n 1 "$file")"
    done
    for file in /usr/lib/elixir/lib/elixir/ebin/elixir.app /usr/lib64/elixir/lib/elixir/ebin/elixir.app; do
        [ -r "$file" ] && printf 'elixir %s\n' "$(sed -n 's/.*{vsn, *"\([^"]*\)".*/\1/p' "$file")"
    done
    # What the fediverse software brought along, by its own list; of a file that may be anybody's no more is read.
    for file in /home/*/live/Gemfile.lock /opt/mastodon/Gemfile.lock /var/www/mastodon/live/Gemfile.lock; do
        [ -f "$file" ] && [ -r "$file" ] &&
            head -c 1000000 "$file" | sed -n '/^    rails ([0-9][0-9.]*)$/{s/^    rails (\(.*\))$/rails \1/p;q;}'
    done
    for file in /var/www/composer.lock /var/www/*/composer.lock /usr/share/webapps/*/composer.lock; do
        [ -f "$file" ] && [ -r "$file" ] && head -c 4000000 "$file" |
            sed -n '/"name": "laravel\/framework"/{n;s/.*"version": "v\{0,1\}\([0-9][0-9.]*\)".*/laravel \1/p;q;}'
    done
    version php --version
    version docker --version
    version containerd --version
    version podman --version
    version ffmpeg -version
    version magick --version
    version convert --version
    version vips --version
    version cloudflared --version
    version python3 --version
    version openssl version
    # Asking certbot itself would make a folder for its log.
    for folder in /usr/lib/python3/dist-packages/certbot-*-info /snap/certbot/current/lib/python3*/site-packages/certbot-*-info; do
        [ -e "$folder" ] && printf 'certbot %s\n' "$(printf '%s\n' "${folder##*/}" | sed 's/^certbot-\([0-9.]*[0-9]\).*/\1/')"
    done
    # Not sudo: even for its version it looks up the name of the machine.
    version systemctl --version
    return 0
}

version() {
    has "$1" || return
    printf '%s %s\n' "$1" "$(brief 2 "$@" 2>&1 | sed -n '/[^[:space:]]/{p;q;}')"
}

# ---- databases and backups ----------------------------------------------------------------------------------------

section_redis() {
    for place in $(redis_places); do
        part probe "$place"
        probe_redis "${place%:*}" "${place##*:}"
    done
    for file in /etc/redis/*.conf /etc/redis.conf /etc/valkey/*.conf /etc/valkey.conf; do
        described 'conf ' "$file" && awk '
            $1 == "port" || $1 == "bind" || $1 == "protected-mode" || $1 == "unixsocket" { print }
            $1 == "requirepass" || $1 == "aclfile" { set[$1] = $2 != "" && $2 != "\"\"" }
            END {
                print "requirepass " (set["requirepass"] ? "set" : "unset")
                print "aclfile " (set["aclfile"] ? "set" : "unset")
            }' "$file"
    done
    return 0
}

# ADDRESS:PORT of the usual port and of everything that runs as Redis or Valkey.
redis_places() {
    {
        echo 127.0.0.1:6379
        if root; then ss -Hlntpe; else ss -Hlnte; fi 2>/dev/null |
            awk '/redis|valkey/ && !/sentinel/ { sub(/%[^:]*:/, ":", $4); print $4 }' |
            sed -e 's/^\*:/127.0.0.1:/' -e 's/^0\.0\.0\.0:/127.0.0.1:/' -e 's/^\[::\]:/127.0.0.1:/'
    } | grep -E '^[0-9a-fA-F.:[]+\]?:[0-9]+$' | sort -u | head -n 8
}

# To ask for a key that nobody has: answered without a password only where none is wanted.
probe_redis() {
    host=${1#[}
    host=${host%]}
    if has redis-cli; then
        brief 2 redis-cli --no-raw -h "$host" -p "$2" EXISTS fedisec:probe 2>&1 | head -n 1
    elif has valkey-cli; then
        brief 2 valkey-cli --no-raw -h "$host" -p "$2" EXISTS fedisec:probe 2>&1 | head -n 1
    else
        {
            if has bash; then
                brief 2 bash -c 'exec 3<>"/dev/tcp/$0/$1" && printf "EXISTS fedisec:probe\r\n" >&3 && head -n 1 <&3' "$host" "$2"
            elif has python3; then
                brief 2 python3 -Ic '
import socket, sys
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), 2) as s:
        s.sendall(b"EXISTS fedisec:probe\r\n")
        print(s.recv(200).decode("ascii", "replace"))
except OSError as error:
    print(error)' "$host" "$2"
            elif has perl; then
                brief 2 perl -MIO::Socket::IP -e '
my $s = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => $ARGV[1], Timeout => 2) or die "$!\n";
print $s "EXISTS fedisec:probe\r\n"; print scalar <$s>;' "$host" "$2"
            else
                echo absent
            fi
        } 2>&1 | sed -e 's/\r$//' -e 's/^-/(error) /' -e 's/^:/(integer) /' -e q
    fi
}

section_postgres() {
    if has psql; then
        ports=$({
            printf '%s\n' /run/postgresql/.s.PGSQL.* /tmp/.s.PGSQL.*
            sed -n 's/^[[:space:]]*port[[:space:]]*=*[[:space:]]*\([0-9][0-9]*\).*/.\1/p' /etc/postgresql/*/*/postgresql.conf 2>/dev/null
        } | sed -n 's/.*\.\([0-9][0-9]*\)$/\1/p' | sort -u | head -n 4)
        for port in ${ports:-5432}; do
            suffix=
            [ "$port" = 5432 ] || suffix=:$port
            part probe "127.0.0.1$suffix"
            probe_postgres 127.0.0.1 "$port"
            for folder in /run/postgresql /tmp; do
                [ -S "$folder/.s.PGSQL.$port" ] || continue
                part probe "$folder$suffix"
                probe_postgres "$folder" "$port"
            done
        done
    else
        part probe absent
    fi
    for file in /etc/postgresql/*/*/postgresql.conf /etc/postgresql/*/*/conf.d/*.conf /var/lib/pgsql/data/postgresql.conf \
        /var/lib/pgsql/*/data/postgresql.conf /var/lib/postgresql/*/*/postgresql.auto.conf /var/lib/pgsql/data/postgresql.auto.conf; do
        described 'conf ' "$file" &&
            grep -E '^[[:space:]]*(listen_addresses|password_encryption|ssl|port|hba_file)[[:space:]]*=?[[:space:]]' "$file"
    done
    for file in /etc/postgresql/*/*/pg_hba.conf /var/lib/pgsql/data/pg_hba.conf /var/lib/pgsql/*/data/pg_hba.conf \
        /var/lib/postgresql/data/pg_hba.conf; do
        described 'hba ' "$file" && hba_fields "$file"
    done
    return 0
}

# Signing in as a role that does not exist: only `trust` gets as far as to say that it does not.
probe_postgres() {
    brief 4 psql -wXAt -h "$1" -p "$2" -U fedisec_probe_nosuchrole -d postgres -c 'select 1' 2>&1 | head -n 3
}

# Type, database, user, address and method; never the options behind, where a password of LDAP or RADIUS may stand.
hba_fields() {
    awk '
        function show_line(line,    count, field, n, word, quoted, c, last) {
            count = 0; word = ""; quoted = 0
            for (n = 1; n <= length(line) + 1; n++) {
                c = substr(line, n, 1)
                if (c == "\"") { quoted = !quoted; word = word c; continue }
                if (c == "#" && !quoted) c = ""
                if (c == "" || ((c == " " || c == "\t") && !quoted)) {
                    if (word != "") field[++count] = word
                    word = ""
                    if (c == "") break
                } else word = word (c == " " ? "_" : c)
            }
            if (field[1] !~ /^(local|host|hostssl|hostnossl|hostgssenc|hostnogssenc|include|include_if_exists|include_dir)$/) return
            if (field[1] ~ /^include/) { print field[1], field[2]; return }
            last = 5
            if (field[1] == "local") last = 4
            else if (field[5] ~ /^[0-9a-fA-F.:]+$/ && field[5] ~ /[.:]/) { field[4] = field[4] "/" field[5]; field[5] = field[6] }
            if (field[last] !~ /^"?(trust|reject|scram-sha-256|md5|password|gss|sspi|ident|peer|ldap|radius|cert|pam|bsd|oauth)"?$/)
                field[last] = "?"
            gsub(/"/, "", field[last])
            line = field[1]
            for (n = 2; n <= last; n++) line = line " " field[n]
            print line
        }
        {
            if (sub(/\\$/, "")) { kept = kept $0 " "; next }
            show_line(kept $0)
            kept = ""
        }
        END { if (kept != "") show_line(kept) }' "$1"
}

BACKUP_TIMERS='backup|dump|restic|borg|pgbackrest|wal-?[ge]([.@-]|$)|barman|snapshot|autopostgresqlbackup|kopia|duplicity|duply|rclone|rsnapshot'
BACKUP_WORDS='pg_dumpall|pg_dump|pg_basebackup|autopostgresqlbackup|restic|borgmatic|borg|pgbackrest|wal-g|wal-e|barman|kopia|duplicity|duply|rclone|rsnapshot|rsync|tarsnap|mysqldump|mariadb-dump|backup'
# They save lists of packages, firmware or crashes, no data.
NO_BACKUP='^(dpkg-db-backup|systemd-coredump|fwupd|snapd)'

backup_folders() {
    printf '%s\n' /var/backups /var/backup /backup /backups /srv/backup /srv/backups /opt/backup /opt/backups /mnt/backup /mnt/backups \
        /root/backup /root/backups /home/*/backup /home/*/backups /var/lib/postgresql/backups /var/lib/autopostgresqlbackup \
        /var/lib/pgbackrest /var/lib/barman
    configured backup_dir
}

# newest_files FOLDER: the newest 20 files, and of those that look like dumps the newest 10: there may be thousands beside
# them.  "slow FOLDER" where all of them could not be listed in time.  No name with a line break, which could forge a line.
newest_files() {
    {
        brief 3 find "$1/" -xdev -maxdepth 3 -type f ! -name '*
*' ! -path '*
*' ! -name 'dpkg.*' ! -name 'apt.extended_states*' ! -name 'alternatives.tar*' \
            ! -name 'passwd.bak' ! -name 'shadow.bak' ! -name 'group.bak' ! -name 'gshadow.bak' \
            -exec stat -c '%Y %s %n' {} + 2>/dev/null
        # Above all times.
        [ "$?" -lt 124 ] || echo 99999999999
    } | sort -rn | awk -v folder="$1" '
        $1 == "99999999999" { print "slow " folder; exit }
        { name = tolower($0); sub(/.*\//, "", name) }
        NR <= 20 || (name ~ /dump|sql|pg_|postgres|\.rdb|database|mastodon|akkoma|pleroma|misskey/ && ++dumps <= 10)'
}

section_backups() {
    if managed timers; then
        timers=$(units_like '*.timer' | grep -E "$BACKUP_TIMERS" | grep -Ev "$NO_BACKUP")
        part timers
        [ -z "$timers" ] || printf '%s\n' "$timers"
        part services
        # shellcheck disable=SC2046,SC2086  # lists of names
        show Id,Result,ExecMainStatus,ExecMainExitTimestamp,ActiveState \
            $([ -z "$timers" ] || systemctl show $timers -p Unit --no-pager | sed -n 's/^Unit=//p')
        part timer_states
        # shellcheck disable=SC2086
        show Id,ActiveState,LastTriggerUSec $timers
    fi
    part cron
    scheduled "$BACKUP_WORDS"
    part tools
    for tool in pg_dump restic borg borgmatic pgbackrest wal-g wal-e barman kopia duplicity duply rclone rsnapshot tarsnap autopostgresqlbackup; do
        has "$tool" && printf '%s\n' "$tool"
    done
    part files
    backup_folders | while IFS= read -r folder; do
        case $folder in
            # A link in a home could lead anywhere.
            /home/*) [ ! -L "$folder" ] || continue ;;
            /*) ;;
            *) continue ;;
        esac
        if [ -d "$folder" ] && { [ ! -r "$folder" ] || [ ! -x "$folder" ]; }; then
            printf 'denied %s\n' "$folder"
        elif [ -d "$folder" ]; then
            newest_files "$folder"
        elif unreachable "$folder"; then
            printf 'denied %s\n' "$folder"
        fi
    done | sed 's|//|/|g' | awk '!($0 in seen) { print; seen[$0] }'
    part remotes
    for file in /root/.config/rclone/rclone.conf /home/*/.config/rclone/rclone.conf /etc/rclone.conf /etc/borgmatic/config.yaml \
        /etc/borgmatic.d/* /root/.config/borgmatic/config.yaml /root/.config/borg /etc/restic* /root/.restic* /etc/pgbackrest.conf \
        /etc/pgbackrest/pgbackrest.conf /etc/wal-g* /etc/wal-e* /etc/barman.d/*.conf /etc/rsnapshot.conf /etc/kopia* /etc/duply/* \
        /root/.duply/*; do
        [ -e "$file" ] && printf '%s\n' "$file"
    done
    return 0
}

section_cert_renewal() {
    if managed timers; then
        timers=$(units_like 'certbot*.timer' 'snap.certbot*.timer' 'acme*.timer' 'lego*.timer' 'dehydrated*.timer' 'cert-renew*.timer')
        part timers
        # shellcheck disable=SC2086
        show Id,LoadState,ActiveState,LastTriggerUSec $timers
        part services
        # shellcheck disable=SC2046,SC2086
        show Id,Result,ExecMainStatus,ExecMainExitTimestamp \
            $([ -z "$timers" ] || systemctl show $timers -p Unit --no-pager | sed -n 's/^Unit=//p')
    fi
    part cron
    scheduled 'certbot|acme\.sh|lego|dehydrated|acme-client|getssl'
    part servers
    has systemctl && show Id,LoadState,ActiveState caddy.service traefik.service
    return 0
}

# ---- the application ----------------------------------------------------------------------------------------------

APP_UNITS='mastodon-* mastodon.* pleroma* akkoma* misskey* sharkey* firefish* iceshrimp* calckey* pixelfed* gotosocial* friendica* lemmy* peertube* pict-rs*'

section_units() {
    managed units || return 1
    set -f
    # shellcheck disable=SC2046,SC2086  # names and patterns of units
    units=$(units_like $APP_UNITS | grep -E '\.service$'; configured unit | grep -E '^[A-Za-z0-9:_.@\\-]+$')
    # shellcheck disable=SC2086
    show Id,LoadState,ActiveState,User,PrivateTmp,ProtectHome,ProtectSystem,PrivateDevices,NoNewPrivileges,CapabilityBoundingSet,NeedDaemonReload,ActiveEnterTimestamp,MainPID,FragmentPath,DropInPaths $units
    # shellcheck disable=SC2086
    for pid in $(show MainPID $units | sed -n 's/^MainPID=\([1-9][0-9]*\)$/\1/p'); do
        [ -r "/proc/$pid/status" ] || continue
        part process "$pid"
        grep -E '^(NoNewPrivs|CapBnd|Seccomp):' "/proc/$pid/status"
    done
    part files
    # shellcheck disable=SC2086
    for file in $(show FragmentPath,DropInPaths $units | sed -n 's/^[A-Za-z]*=//p'); do
        [ -e "$file" ] && stat -L -c '%Y %n' "$file"
    done
    return 0
}

# FAMILY PATH of each configuration file that is there, "denied PATH" of each folder behind which one may lie.
app_places() {
    all_places | sort -u | awk '{ path = $0; sub(/^[^ ]* /, "", path) } !(path in seen) { print; seen[path] }'
}

all_places() {
    place mastodon /home/*/live/.env.production /home/*/mastodon/.env.production /home/*/mastodon/live/.env.production \
        /var/www/*/live/.env.production /var/www/mastodon/.env.production /opt/*/.env.production /opt/*/live/.env.production \
        /srv/*/.env.production /srv/*/live/.env.production /root/*/.env.production
    for family in akkoma pleroma; do
        place $family /etc/$family/config.exs /opt/$family/config/prod.secret.exs /opt/$family/config/prod.exported_from_db.secret.exs \
            /home/*/$family/config/prod.secret.exs /var/lib/$family/config.exs /var/www/$family/config.exs \
            /var/www/$family/config/prod.secret.exs /srv/$family/config/prod.secret.exs /srv/$family/config.exs
    done
    for family in misskey sharkey firefish iceshrimp calckey; do
        for folder in /home/*/"$family" "/opt/$family" "/srv/$family" "/var/www/$family" "/root/$family"; do
            place $family "$folder/.config/default.yml" "$folder/.config/docker.env"
        done
    done
    place pixelfed /var/www/pixelfed/.env /usr/share/webapps/pixelfed/.env /home/*/pixelfed/.env /opt/pixelfed/.env \
        /srv/pixelfed/.env /srv/www/pixelfed/.env /root/pixelfed/.env
    place gotosocial /gotosocial/config.yaml /opt/gotosocial/config.yaml /etc/gotosocial/config.yaml /srv/gotosocial/config.yaml \
        /home/*/gotosocial/config.yaml /var/lib/gotosocial/config.yaml
    place friendica /var/www/*/config/local.config.php /var/www/*/*/config/local.config.php /srv/*/config/local.config.php \
        /home/*/friendica/config/local.config.php
    place lemmy /etc/lemmy/lemmy.hjson /etc/lemmy/config.hjson /opt/lemmy/lemmy.hjson /srv/lemmy/lemmy.hjson /srv/lemmy/*/lemmy.hjson \
        /home/*/lemmy/lemmy.hjson /home/*/lemmy/config/config.hjson /lemmy/*/lemmy.hjson
    place peertube /var/www/peertube/config/production.yaml /etc/peertube/production.yaml /home/*/peertube/config/production.yaml
    configured config | while read -r path; do
        case $path in
            *.env.production) place mastodon "$path" ;;
            *akkoma*) place akkoma "$path" ;;
            *.exs) place pleroma "$path" ;;
            *sharkey*) place sharkey "$path" ;;
            */default.yml | */docker.env) place misskey "$path" ;;
            *gotosocial*) place gotosocial "$path" ;;
            *peertube*) place peertube "$path" ;;
            *.hjson) place lemmy "$path" ;;
            *.php) place friendica "$path" ;;
            *.env) place pixelfed "$path" ;;
        esac
    done
    compose_folders | while IFS= read -r folder; do
        place mastodon "$folder/.env.production"
        place misskey "$folder/.config/default.yml" "$folder/.config/docker.env"
        place lemmy "$folder/lemmy.hjson"
        case $folder in
            *pixelfed*) place pixelfed "$folder/.env" ;;
            *gotosocial*) place gotosocial "$folder/config.yaml" ;;
            *pleroma*) place pleroma "$folder/config/prod.secret.exs" ;;
            *) place akkoma "$folder/config/prod.secret.exs" ;;
        esac
    done
    for folder in /home/* /etc/akkoma /etc/pleroma /opt/* /srv/* /var/www/* /etc/gotosocial /etc/lemmy; do
        [ -d "$folder" ] && [ ! -x "$folder" ] && printf 'denied %s\n' "$folder"
    done
    return 0
}

# Where the compose files of the running containers lie.
compose_folders() {
    has docker || return
    brief 3 docker ps --format '{{.Label "com.docker.compose.project.working_dir"}}' 2>/dev/null | grep '^/' | sort -u
}

place() {
    family_here=$1
    shift
    for path in "$@"; do
        [ -f "$path" ] && printf '%s %s\n' "$family_here" "$path"
    done
    return 0
}

section_app_files() {
    app_places | while read -r word path; do
        if [ "$word" = denied ]; then
            printf 'denied %s\n' "$path"
        else
            stat -L -c '%a %U %G %s %n' "$path"
        fi
    done
}

# Keys whose values are no secrets, and keys of which only is said whether they are set.  A key of YAML, Hjson and
# PHP is the way to it ("redis.pass"), one of Elixir the section and the key (":instance.registrations_open").
PLAIN='LOCAL_DOMAIN WEB_DOMAIN RAILS_ENV NODE_ENV BIND PORT DB_HOST DB_PORT DB_SSLMODE REDIS_HOST REDIS_PORT CACHE_REDIS_HOST
    SIDEKIQ_REDIS_HOST TRUSTED_PROXY_IP AUTHORIZED_FETCH LIMITED_FEDERATION_MODE WHITELIST_MODE DISALLOW_UNAUTHENTICATED_API_ACCESS
    ALLOWED_PRIVATE_ADDRESSES ALLOW_ACCESS_TO_HIDDEN_SERVICE SMTP_SERVER SMTP_PORT SMTP_ENABLE_STARTTLS SMTP_ENABLE_STARTTLS_AUTO SMTP_TLS
    SMTP_SSL SMTP_OPENSSL_VERIFY_MODE SMTP_AUTH_METHOD SMTP_DELIVERY_METHOD BULK_SMTP_ENABLE_STARTTLS BULK_SMTP_TLS BULK_SMTP_SSL
    BULK_SMTP_OPENSSL_VERIFY_MODE S3_ENABLED S3_BUCKET S3_PROTOCOL S3_HOSTNAME S3_REGION S3_ENDPOINT S3_ALIAS_HOST S3_PERMISSION SWIFT_ENABLED
    CDN_HOST EXTRA_MEDIA_HOSTS ALLOW_UNSAFE_AUTH_PROVIDER_REATTACH LDAP_ENABLED LDAP_TLS_NO_VERIFY LDAP_METHOD CAS_DISABLE_SSL_VERIFICATION
    SAML_SECURITY_ASSUME_EMAIL_IS_VERIFIED DISABLE_AUTOMATIC_SWITCHING_TO_APPROVED_REGISTRATIONS EMAIL_DOMAIN_ALLOWLIST
    EMAIL_DOMAIN_DENYLIST MASTODON_PROMETHEUS_EXPORTER_ENABLED MASTODON_PROMETHEUS_EXPORTER_HOST MASTODON_PROMETHEUS_EXPORTER_PORT ES_ENABLED
    ES_HOST ES_PORT IP_RETENTION_PERIOD SESSION_RETENTION_PERIOD MAX_SESSION_ACTIVATIONS ENABLE_SIDEKIQ_UNIQUE_JOBS_UI EXPERIMENTAL_FEATURES
    SELF_DESTRUCT PROXY_PROTO_V1 GITHUB_REPOSITORY SOURCE_TAG
    APP_ENV APP_DEBUG APP_DOMAIN OPEN_REGISTRATION ENFORCE_EMAIL_VERIFICATION PF_MAX_USERS CAPTCHA_ENABLED CAPTCHA_ENABLED_ON_LOGIN
    CAPTCHA_ENABLED_ON_REGISTER INSTANCE_CUR_REG SESSION_SECURE_COOKIE SESSION_SAME_SITE_COOKIES TRUST_PROXIES PF_ENABLE_CLOUD ACTIVITY_PUB
    AUTHORIZED_FETCH PF_SECURITY_URL_VERIFY_DNS TELESCOPE_ENABLED FORCE_HTTPS_URLS MAIL_ENCRYPTION MAIL_HOST MAIL_PORT
    MAIL_DRIVER MAIL_MAILER MAIL_VERIFY_PEER
    configurable_from_database Pleroma.Web.Endpoint.http Pleroma.Web.Endpoint.http.ip Pleroma.Web.Endpoint.http.port
    Pleroma.Web.Endpoint.secure_cookie_flag Pleroma.Upload.base_url :media_proxy.enabled :media_proxy.base_url :http_security.enabled
    :http_security.sts :http_security.sts_max_age :http_security.referrer_policy Pleroma.Captcha.enabled Pleroma.Captcha.method
    :instance.registrations_open :instance.account_activation_required :instance.account_approval_required :instance.healthcheck
    :activitypub.authorized_fetch_mode :mrf.transparency Pleroma.Web.Plugs.RemoteIp.enabled Pleroma.Repo.hostname Pleroma.Repo.ssl
    :instance.federating :instance.allow_relay Pleroma.Emails.Mailer.enabled Pleroma.Emails.Mailer.adapter
    Pleroma.Emails.Mailer.relay Pleroma.Emails.Mailer.port Pleroma.Emails.Mailer.ssl Pleroma.Emails.Mailer.tls
    Pleroma.Emails.Mailer.no_mx_lookups :rate_limit.authentication :rate_limit.app_account_creation :rate_limit.password_reset
    url port chmodSocket db.host db.port redis.host redis.port meilisearch.host meilisearch.ssl fulltextSearch.provider disableHsts trustProxy
    signToActivityPubGet maxFileSize logging.sql.enableQueryParamLogging publishTarballInsteadOfProvideRepositoryUrl mediaProxy
    bind-address host protocol trusted-proxies db-type db-address db-tls-mode accounts-registration-open accounts-reason-required
    accounts-registration-daily-limit accounts-registration-backlog-limit instance-federation-mode instance-expose-peers
    instance-expose-suspended instance-expose-blocklist instance-expose-public-timeline http-client.allow-ips http-client.block-ips
    http-client.tls-insecure-skip-verify http-client.insecure-outgoing oidc-enabled oidc-skip-verification letsencrypt-enabled
    metrics-enabled advanced-rate-limit-requests advanced-cookies-samesite advanced-header-filter-mode smtp-host smtp-port storage-backend
    database.hostname database.host database.port database.sslmode system.hsts system.trusted_proxies system.ssl_policy
    config.register_policy system.invitation_only bind hostname tls_enabled email.tls_type prometheus.bind prometheus.port cors_origin
    listen.hostname listen.port trust_proxy webserver.https webserver.hostname webserver.port smtp.transport smtp.sendmail smtp.hostname smtp.port smtp.tls smtp.disable_starttls smtp.ca_file
    signup.enabled signup.requires_approval signup.requires_email_verification csp.enabled csp.report_only redis.hostname
    open_telemetry.metrics.enabled open_telemetry.metrics.prometheus_exporter.hostname open_telemetry.metrics.prometheus_exporter.port'

HIDDEN='DB_PASS DB_PASSWORD DATABASE_URL REDIS_PASSWORD REDIS_URL CACHE_REDIS_PASSWORD CACHE_REDIS_URL SIDEKIQ_REDIS_PASSWORD
    SIDEKIQ_REDIS_URL REDIS_SENTINEL_PASSWORD SECRET_KEY_BASE OTP_SECRET VAPID_PRIVATE_KEY VAPID_PUBLIC_KEY
    ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT SOCKET
    SMTP_LOGIN SMTP_PASSWORD http_proxy http_hidden_proxy HCAPTCHA_SITE_KEY HCAPTCHA_SECRET_KEY ES_USER ES_PASS
    AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY OTEL_EXPORTER_OTLP_ENDPOINT UPDATE_CHECK_URL SOURCE_BASE_URL APP_KEY CAPTCHA_SECRET
    CAPTCHA_SITEKEY MAIL_USERNAME MAIL_PASSWORD
    Pleroma.Web.Endpoint.secret_key_base Pleroma.Web.Endpoint.signing_salt Pleroma.Repo.password admin_token :http.proxy_url
    Pleroma.Emails.Mailer.username Pleroma.Emails.Mailer.password :mrf.policies :web_push_encryption.private_key :vapid_details.private_key Pleroma.Web.Plugs.RemoteIp.proxies
    setupPassword db.user db.pass redis.pass redisForPubsub.pass redisForJobQueue.pass redisForTimelines.pass redisForReactions.pass
    meilisearch.apiKey proxy proxyBypassHosts allowedPrivateNetworks outgoingAddress sentryForBackend sentryForFrontend socket
    POSTGRES_PASSWORD db-password smtp-username smtp-password storage-s3-access-key storage-s3-secret-key oidc-client-secret metrics-auth-password
    database.password database.uri database.connection config.admin_email pictrs.api_key setup.admin_password email.smtp_password
    email.connection secrets.peertube redis.auth smtp.password smtp.username import.videos.http.proxies'

section_app_config() {
    app_places | while read -r family path; do
        if [ "$family" = denied ]; then
            printf 'denied %s\n' "$path"
        elif [ ! -r "$path" ]; then
            part "$family $path denied"
        else
            part "$family $path"
            case $path in
                *.exs) kind=elixir ;;
                *.php) kind=php ;;
                *.yml | *.yaml) kind=yaml ;;
                *.hjson) kind=hjson ;;
                *) kind='env' ;;
            esac
            chosen_settings "$kind" "$path"
        fi
    done
}

# chosen_settings KIND PATH: KEY=VALUE of what is no secret; KEY=set, empty or sample of the others; nothing else.
chosen_settings() {
    head -c 262144 "$2" | awk -v kind="$1" -v plain="$PLAIN" -v hidden="$HIDDEN" '
        BEGIN {
            count = split(plain, word); for (n = 1; n <= count; n++) is_plain[word[n]]
            count = split(hidden, word); for (n = 1; n <= count; n++) is_hidden[word[n]]
        }
        function trim(text) { gsub(/^[ \t\r]+|[ \t\r,;]+$/, "", text); return text }
        function bare(text) {
            text = trim(text)
            if (text ~ /^"/) { sub(/^"/, "", text); sub(/".*$/, "", text) }
            else if (text ~ /^\047/) { sub(/^\047/, "", text); sub(/\047.*$/, "", text) }
            else if (kind == "env" || kind == "yaml") sub(/[ \t]+#.*$/, "", text)
            return trim(text)
        }
        # What the samples and the first pages of the documentation give.
        function is_sample(text) {
            return tolower(text) ~ /^(changeme|change_me|change-me|password|peertube|example-misskey-pass|my-pictrs-key|your[-_ ].*|example[-_].*|.*do_not_use_in_production|.*please_change_this.*|ak4abxf29.*|<.*>)$/
        }
        function state(text) {
            if (text == "" || tolower(text) ~ /^(null|nil|~|false|\[\]|\{\}|none)$/) return "empty"
            return is_sample(text) ? "sample" : "set"
        }
        function say(key, text) {
            text = bare(text)
            if (key in is_hidden) {
                print key "=" state(text)
                # A URL may hold a password or none.
                if (key ~ /_URL$|\.uri$|\.connection$/) print key ".password=" (text ~ /:\/\/[^\/@:]*:[^@]+@/ ? "set" : "empty")
            } else if (key == "SMTP_FROM_ADDRESS" || key == "MAIL_FROM_ADDRESS" || key == "smtp-from" || key == "email.smtp_from_address") {
                # The domain alone, without the name before it.
                if (match(text, /@[A-Za-z0-9.-]+>?$/)) { text = substr(text, RSTART); sub(/>$/, "", text); print key "=" text }
            } else if (key in is_plain) {
                # A value that could hold more than a plain one is not shown.
                if (length(text) > 200 || text !~ /^[][A-Za-z0-9._:\/,*{} -]*$/) print key "=" state(text)
                else print key "=" text
            }
        }
        # A list of plain values is shown as one; what its entries hold otherwise is not.
        function say_list() {
            if (list != "") say(list, odd ? "[list]" : "[" entries "]")
            list = ""
        }
        /^[ \t]*(#|\/\/)/ { next }
        kind == "env" {
            line = $0
            sub(/^[ \t]*(export[ \t]+)?/, "", line)
            if (match(line, /^[A-Za-z_][A-Za-z0-9_]*[ \t]*=/)) {
                key = substr(line, 1, RLENGTH - 1); sub(/[ \t]+$/, "", key)
                say(key, substr(line, RLENGTH + 1))
            }
            next
        }
        kind == "elixir" {
            line = trim($0)
            if (line ~ /^config +:[a-z_]+/) {
                sub(/^config +:[a-z_]+ *,? */, "", line)
                section = group = ""
                if (match(line, /^:?[A-Za-z0-9_.]+ *(,|$)/)) {
                    section = substr(line, 1, RLENGTH); sub(/ *,? *$/, "", section)
                    line = trim(substr(line, RLENGTH + 1))
                }
            }
            if (line ~ /^[]}]/) group = ""
            if (match(line, /^[a-z_]+[?]?: */)) {
                key = substr(line, 1, RLENGTH); sub(/: *$/, "", key)
                rest = substr(line, RLENGTH + 1)
                way = (section == "" ? "" : section ".") (group == "" ? "" : group ".") key
                # A list over several lines: that it is there, then its keys below its own.
                if (rest ~ /^(\[|%?\{)$/) { group = key; if (way in is_hidden) say(way, "list") }
                else say(way, rest)
            }
            next
        }
        kind == "php" {
            line = trim($0)
            if (match(line, /^[\047"][A-Za-z0-9_]+[\047"] *=> */)) {
                key = substr(line, 2, RLENGTH); sub(/[\047"].*$/, "", key)
                rest = substr(line, RLENGTH + 1)
                if (rest ~ /^(\[|array\()[ \t]*$/) { section = key; next }
                say(section == "" ? key : section "." key, rest)
            } else if (line ~ /^[])]/) section = ""
            next
        }
        kind == "yaml" {
            if ($0 ~ /^[ \t]*$/ || $0 ~ /^(---|\.\.\.)/) next
            match($0, /^ */); indent = RLENGTH
            line = substr($0, indent + 1)
            if (line ~ /^-( |$)/) {
                if (waiting != "") { list = waiting; entries = ""; odd = 0; waiting = "" }
                entry = bare(substr(line, 2))
                if (entry == "" || entry ~ /:( |$)/) odd = 1
                entries = entries (entries == "" ? "" : ", ") entry
                # What an entry of a list holds is no key of the map around it.
                in_list = indent + 1
                next
            }
            if (in_list && indent >= in_list) { odd = 1; next }
            in_list = 0
            say_list()
            if (waiting != "") {
                if (indent <= depth[level]) say(waiting, "")
                waiting = ""
            }
            while (level > 0 && indent <= depth[level]) level--
            if (!match(line, /^[\047"]?[A-Za-z0-9_-]+[\047"]?:([ \t]|$)/)) next
            key = substr(line, 1, RLENGTH); gsub(/[\047": \t]/, "", key)
            rest = bare(substr(line, RLENGTH + 1))
            sub(/^#.*$/, "", rest)
            way = level ? name[level] "." key : key
            if (rest == "" && substr(line, RLENGTH + 1) !~ /["\047]/) {
                level++; depth[level] = indent; name[level] = way; waiting = way
            } else say(way, substr(line, RLENGTH + 1))
            next
        }
        kind == "hjson" {
            line = trim($0)
            if (line ~ /^\}/) { if (level > 0) level--; next }
            if (match(line, /^"?[A-Za-z0-9_]+"? *: */)) {
                key = substr(line, 1, RLENGTH); gsub(/[": ]/, "", key)
                rest = trim(substr(line, RLENGTH + 1))
                way = level ? name[level] "." key : key
                if (rest == "{") { level++; name[level] = way } else say(way, rest)
            }
        }
        END { if (waiting != "") say(waiting, ""); say_list() }'
}

DATABASES="select datname from pg_database where datallowconn and datname ~ '(mastodon|pleroma|akkoma|misskey|sharkey|firefish|iceshrimp)' order by 1"

# Figures of a database on this machine, asked as its owner by a session that may only read.  No names.
section_app_accounts() {
    if ! root; then
        part database denied
        return 0
    elif ! has psql || ! has setpriv || ! id postgres >/dev/null 2>&1; then
        part database absent
        return 127
    fi
    found=$(as_postgres postgres "$DATABASES" 2>&1) || {
        part database absent
        printf '%s\n' "$found" | head -n 3
        return 0
    }
    [ -n "$found" ] || part database absent
    printf '%s\n' "$found" | while IFS= read -r database; do
        case $database in *[!A-Za-z0-9_-]* | '') continue ;; esac
        part database "$database"
        case $(as_postgres "$database" "select string_agg(table_name, ' ') from information_schema.tables
                where table_name in ('user_roles', 'email_domain_blocks', 'oauth_authorizations', 'user_profile')" 2>&1) in
            *user_roles*) count_mastodon "$database" ;;
            *user_profile*) count_misskey "$database" ;;
            *oauth_authorizations*) count_pleroma "$database" ;;
        esac
    done
    return 0
}

as_postgres() {
    PGOPTIONS='-c default_transaction_read_only=on -c statement_timeout=3000' \
        brief 4 setpriv --reuid=postgres --regid=postgres --init-groups psql -wXAt -F ' ' -d "$1" -c "$2"
}

# Staff is who holds a role that may do more than invite (65536).
count_mastodon() {
    as_postgres "$1" "select 'staff ' || count(*) || E'\nstaff_without_second_factor ' || count(*) filter (where not u.otp_required_for_login)
        from users u join user_roles r on r.id = u.role_id
        where r.id <> -99 and (r.permissions & ~65536) <> 0 and not u.disabled" 2>&1
    as_postgres "$1" "select 'email_domain_blocks ' || count(*) from email_domain_blocks" 2>&1
}

count_pleroma() {
    as_postgres "$1" "select 'staff ' || count(*) || E'\nstaff_without_second_factor '
            || count(*) filter (where coalesce(to_jsonb(u)->'multi_factor_authentication_settings'->>'enabled', 'false') <> 'true')
        from users u where u.local and (u.is_admin or u.is_moderator)" 2>&1
}

count_misskey() {
    as_postgres "$1" "select 'staff ' || count(*) || E'\nstaff_without_second_factor ' || count(*) filter (where not p.\"twoFactorEnabled\")
        from \"user\" u join user_profile p on p.\"userId\" = u.id
        where u.host is null and (coalesce((to_jsonb(u)->>'isRoot')::boolean, false) or exists (
            select from role_assignment a join role r on r.id = a.\"roleId\"
            where a.\"userId\" = u.id and (r.\"isAdministrator\" or r.\"isModerator\")))" 2>&1
}

# ---- the web server and what else runs ----------------------------------------------------------------------------

# nginx_settings EXPRESSION: the chosen settings of the configuration in force, file by file.  Asking nginx to print
# it (-T) would open its logs, ports and process file, and look its upstreams up.
nginx_settings() {
    [ -e /etc/nginx/nginx.conf ] || unreachable /etc/nginx/nginx.conf || return 127
    nginx_file /etc/nginx/nginx.conf 0 "$1"
}

nginx_file() (
    if [ ! -r "$1" ]; then
        printf 'denied %s\n' "$1"
        exit
    fi
    settings=$(awk '
        # Comments end at the line, settings do not: strings are passed over as they are.
        {
            line = $0 "\n"
            for (n = 1; n <= length(line); n++) {
                c = substr(line, n, 1)
                if (quote != "") {
                    if (c == "\\") { text = text c substr(line, ++n, 1); continue }
                    if (c == quote) quote = ""
                    text = text (c ~ /[;{}\n]/ ? " " : c)
                    continue
                }
                if (c == "#" && (text == "" || text ~ /[ \t]$/)) break
                if (c ~ /["\047]/ && (text == "" || text ~ /[ \t]$/)) quote = c
                if (c ~ /[;{}]/) { sub(/^[ \t]+/, "", text); print text c; text = "" }
                else text = text (c == "\n" || c == "\t" ? " " : c)
            }
            if (quote == "" && text != "") text = text " "
        }' "$1")
    chosen=$(printf '%s\n' "$settings" | grep -E "$3")
    [ -z "$chosen" ] || printf '# configuration file %s:\n%s\n' "$1" "$chosen"
    [ "$2" -lt 6 ] || exit
    printf '%s\n' "$settings" | sed -n 's/^include  *["'\'']\{0,1\}\([^"'\'' ;]*\).*/\1/p' | while read -r pattern; do
        case $pattern in /*) ;; *) pattern=/etc/nginx/$pattern ;; esac
        # shellcheck disable=SC2086  # a pattern of files
        for file in $pattern; do
            [ -f "$file" ] && nginx_file "$file" $(($2 + 1)) "$3"
        done
    done
)

# engines_of PATH DEPTH: what a file of rules and those that it includes switch the engine to, in the order of loading.
engines_of() (
    if [ ! -r "$1" ] || [ "$2" -gt 5 ]; then
        printf 'denied %s\n' "$1"
        exit
    fi
    tr '\t"\r' '   ' <"$1" | awk 'tolower($1) ~ /^(secruleengine|include|includeoptional)$/ { print $1, $2 }' |
        while read -r word value; do
            case $word in
                [Ss]*)
                    case $value in
                        [Oo][Nn] | [Oo][Ff][Ff] | [Dd]etection[Oo]nly | detectiononly) printf '%s:SecRuleEngine %s\n' "$1" "$value" ;;
                        *) printf '%s:SecRuleEngine other\n' "$1" ;;
                    esac
                    continue
                    ;;
            esac
            case $value in /*) ;; *) value=${1%/*}/$value ;; esac
            for file in $value; do
                if [ ! -e "$file" ]; then
                    ! unreachable "$file" || printf 'denied %s\n' "${file%/*}"
                elif [ ! -r "$file" ]; then
                    printf 'denied %s\n' "$file"
                elif grep -qiE '^[[:space:]]*(SecRuleEngine|Include)' "$file"; then
                    engines_of "$file" $(($2 + 1))
                fi
            done
        done
)

section_waf() {
    if has nginx || [ -e /etc/nginx ]; then
        part nginx
        used=$(nginx_settings '^(modsecurity +(on|off) *;|modsecurity_rules(_file)? |coraza +(on|off) *;|coraza_rules(_file)? |load_module .*(modsecurity|coraza))')
        # Of rules that stand in nginx's own file the engine alone: others may compare with a token.
        printf '%s\n' "$used" | awk '
            !/^(modsecurity|coraza)_rules / { print; next }
            match(tolower($0), /secruleengine +(detectiononly|on|off)/) { print "rules", substr($0, RSTART, RLENGTH) }'
        printf '%s\n' "$used" | sed -n 's/^[a-z]*_rules_file  *["'\'']\{0,1\}\([^"'\'' ;]*\).*/\1/p' | sort -u |
            while read -r file; do
                case $file in /*) ;; *) file=/etc/nginx/$file ;; esac
                part loaded "$file"
                engines_of "$file" 0
            done
    else
        part nginx absent
    fi
    part apache
    for file in /etc/apache2/apache2.conf /etc/apache2/mods-enabled/* /etc/apache2/conf-enabled/* /etc/apache2/sites-enabled/* \
        /etc/httpd/conf/httpd.conf /etc/httpd/conf.d/*.conf /etc/httpd/conf.modules.d/*.conf; do
        [ -f "$file" ] && [ -r "$file" ] &&
            grep -EioH '^[[:space:]]*(SecRuleEngine[[:space:]]+(On|Off|DetectionOnly)|LoadModule[[:space:]]+security2_module)' "$file"
    done
    for file in /etc/apache2/mods-enabled/security2.conf /etc/httpd/conf.d/mod_security.conf; do
        [ -f "$file" ] || continue
        part loaded "$file"
        engines_of "$file" 0
    done
    part engine
    for file in /etc/nginx/modsec/*.conf /etc/nginx/modsecurity/*.conf /etc/nginx/modsecurity*.conf /etc/modsecurity/*.conf; do
        [ -f "$file" ] && [ -r "$file" ] && grep -EioH '^[[:space:]]*SecRuleEngine[[:space:]]+(On|Off|DetectionOnly)' "$file"
    done
    part crs
    ls -d /etc/modsecurity/crs/crs-setup.conf /usr/share/modsecurity-crs/*.load /etc/nginx/modsec/*/crs-setup.conf \
        /etc/modsecurity/crs-setup.conf /etc/crs*/crs-setup.conf /etc/coreruleset*/crs-setup.conf /usr/share/modsecurity-crs/rules 2>/dev/null
    part unit
    has systemctl && show Id,LoadState,ActiveState,ActiveEnterTimestamp,Result,ReloadResult nginx.service apache2.service httpd.service caddy.service
    return 0
}

section_proxy() {
    nginx_settings '^(set_real_ip_from|real_ip_header|real_ip_recursive|ssl_protocols|listen|limit_req) |^proxy_set_header +X-Forwarded-For +'
    worked=$?
    [ "$worked" -ne 127 ] || part nginx absent
    return "$worked"
}

section_edr() {
    part units
    has systemctl && show Id,LoadState,ActiveState wazuh-agent.service falco.service falco-modern-bpf.service auditd.service osqueryd.service \
        falcon-sensor.service mdatp.service sentinelone.service crowdstrike.service clamav-daemon.service clamav-freshclam.service \
        elastic-agent.service elastic-endpoint.service cbagentd.service ds_agent.service sophos-spl.service tetragon.service \
        ossec-hids.service aide.timer rkhunter.timer
    part processes
    cat /proc/[0-9]*/comm 2>/dev/null |
        grep -Ex 'wazuh-agentd|wazuh-syscheckd|falco|auditd|osqueryd|falcon-sensor|wdavdaemon|mdatp|s1-agent|sentinelone-age|clamd|freshclam|elastic-agent|elastic-endpoint|ds_agent|ossec-agentd|ossec-syscheckd|tetragon' |
        sort -u
    state=/var/ossec/var/run/wazuh-agentd.state
    if [ -r "$state" ]; then
        part wazuh_state
        grep -E '^(status|last_keepalive|last_ack)=' "$state"
    elif [ -d /var/ossec ] && ! root; then
        part wazuh_state denied
    else
        part wazuh_state absent
    fi
    return 0
}

section_opensnitch() {
    part units
    has systemctl && show Id,LoadState,ActiveState opensnitch.service opensnitchd.service
    file=/etc/opensnitchd/default-config.json
    if [ -r "$file" ]; then
        part config
        grep -Eo '"DefaultAction"[^,}]*' "$file"
    elif [ -e "$file" ] || unreachable "$file"; then
        part config denied
    else
        part config absent
    fi
    part rules
    if [ -d /etc/opensnitchd/rules ] && [ ! -r /etc/opensnitchd/rules ]; then
        echo denied
    else
        find /etc/opensnitchd/rules -name '*.json' 2>/dev/null | grep -c .
    fi
    return 0
}

section_egress() {
    part units
    if has systemctl; then
        set -f
        # shellcheck disable=SC2046  # a list of names
        show Id,LoadState,ActiveState cloudflared.service warp-svc.service tailscaled.service tor.service \
            $(units_like 'cloudflared@*' 'frpc*' 'wg-quick@*' 'openvpn*' 'tor@*' 'cloudflared-*' | grep -E '\.service$')
        set +f
    fi
    if has ip; then
        part links
        links=$(ip -br link 2>/dev/null) || links=$(cd /sys/class/net && for link in *; do
            [ -r "$link/operstate" ] && printf '%s %s\n' "$link" "$(tr "[:lower:]" "[:upper:]" <"$link/operstate")"
        done)
        printf '%s\n' "$links" | awk 'NF { print $1, $2 }'
        part routes
        ip route show default
        ip -6 route show default
    else
        part links absent
        part routes absent
    fi
    if has warp-cli; then
        part warp
        brief 2 warp-cli status 2>&1
    else
        part warp absent
    fi
    return 0
}

section_mail() {
    if has postconf; then
        part postfix
        for key in inet_interfaces smtp_tls_security_level; do
            printf '%s=%s\n' "$key" "$(postconf -h "$key" 2>&1)"
        done
        if [ -n "$(postconf -h relayhost 2>/dev/null)" ]; then echo relayhost=set; else echo relayhost=unset; fi
    else
        part postfix absent
    fi
    part opendkim
    [ -r /etc/opendkim.conf ] && grep -E '^[[:space:]]*(Selector|Domain)[[:space:]]' /etc/opendkim.conf
    for file in /etc/opendkim/KeyTable /etc/opendkim/key.table /etc/dkimkeys/KeyTable /etc/opendkim/keytable; do
        # Name, then domain:selector:key; the key itself may stand here instead of its file.
        [ -r "$file" ] && awk '!/^[ \t]*#/ && split($2, part, ":") >= 2 { print "KeyTable", part[1], part[2] }' "$file"
    done
    for file in /etc/opendkim/SigningTable /etc/opendkim/signing.table /etc/dkimkeys/SigningTable /etc/opendkim/signingtable; do
        [ -r "$file" ] && awk '!/^[ \t]*(#|$)/ { print "SigningTable", $1, $2 }' "$file"
    done
    part rspamd
    for file in /etc/rspamd/local.d/dkim_signing.conf /etc/rspamd/override.d/dkim_signing.conf; do
        [ -r "$file" ] && grep -E '^[[:space:]]*(selector|domain)[[:space:]]*[={]' "$file"
    done
    return 0
}

# All of the script has arrived when this line is read.
main </dev/null
