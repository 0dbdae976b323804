# A well-kept fediverse server, made from the base tree before it is started.  KEY and COLLECTOR are set by the test.

# fedisec's two ways in: the installed collector as root through a forced command, and a plain account.
useradd -m -s /bin/sh fedisec
useradd -m -s /bin/sh plain
install -m 755 /dev/null /usr/local/sbin/fedisec-collect
printf '%s' "$COLLECTOR" >/usr/local/sbin/fedisec-collect
echo 'fedisec ALL=(root) NOPASSWD: /usr/local/sbin/fedisec-collect ""' >/etc/sudoers.d/fedisec
for user in fedisec plain; do
    install -d -m 700 -o $user -g $user /home/$user/.ssh
    echo "restrict $KEY" >/home/$user/.ssh/authorized_keys
    chown $user: /home/$user/.ssh/authorized_keys
done
sed -i 's|^restrict|restrict,command="sudo -n /usr/local/sbin/fedisec-collect"|' /home/fedisec/.ssh/authorized_keys

# SSH
printf 'PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin no\n' >/etc/ssh/sshd_config.d/00-good.conf

# The firewall: the rules are written now and loaded at the start.
sed -i 's/^ENABLED=.*/ENABLED=yes/' /etc/ufw/ufw.conf
for rules in user:ufw user6:ufw6; do
    sed -i "s/^### RULES ###\$/&\n-A ${rules#*:}-user-input -p tcp -m multiport --dports 22,80,443 -j ACCEPT/" /etc/ufw/${rules%:*}.rules
done
systemctl -q enable ufw

# fail2ban, on a system without /var/log/auth.log
printf '[DEFAULT]\nbackend = systemd\nignoreip = 127.0.0.1/8 ::1 fd66::/64\n[sshd]\nenabled = true\n' >/etc/fail2ban/jail.local

# Databases
echo 'requirepass not-a-secret-of-anybody' >>/etc/redis/redis.conf

# Updates: both halves ran this night, and the timers do not catch up on anything now.
printf 'APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";\n' >/etc/apt/apt.conf.d/20auto-upgrades
mkdir -p /var/lib/apt/periodic /var/lib/systemd/timers
touch -d '-6 hours' /var/lib/apt/periodic/update-stamp /var/lib/apt/periodic/upgrade-stamp \
    /var/lib/apt/periodic/unattended-upgrades-stamp
for timer in apt-daily apt-daily-upgrade certbot fediverse-backup; do
    touch /var/lib/systemd/timers/stamp-$timer.timer
done

# The app, as far as this is about it
useradd -m -s /usr/sbin/nologin mastodon
install -d -m 755 -o mastodon -g mastodon /home/mastodon/live
chmod 711 /home/mastodon
printf 'LOCAL_DOMAIN=host.fedi.test\nSECRET_KEY_BASE=not-a-secret-of-anybody\n' >/home/mastodon/live/.env.production
chown mastodon: /home/mastodon/live/.env.production
chmod 600 /home/mastodon/live/.env.production
cat >/etc/systemd/system/mastodon-web.service <<'UNIT'
[Unit]
Description=Stands in for Mastodon

[Service]
User=mastodon
ExecStart=/usr/bin/python3 -m http.server --bind 127.0.0.1 --directory /usr/share/doc 3000
NoNewPrivileges=true
PrivateTmp=true
PrivateDevices=true
ProtectHome=tmpfs
ProtectSystem=full
CapabilityBoundingSet=

[Install]
WantedBy=multi-user.target
UNIT
touch -d '-1 day' /etc/systemd/system/mastodon-web.service
systemctl -q enable mastodon-web

# Backups
install -d -m 700 -o postgres -g postgres /var/backups/fediverse
for days in 0 1; do
    file=/var/backups/fediverse/db-$(date -d "-$days days -2 hours" +%F).dump
    head -c 20000 /dev/urandom >"$file"
    touch -d "-$days days -2 hours" "$file"
done
printf '[Service]\nType=oneshot\nExecStart=/bin/true\n' >/etc/systemd/system/fediverse-backup.service
printf '[Timer]\nOnCalendar=*-*-* 03:30\nPersistent=true\n[Install]\nWantedBy=timers.target\n' \
    >/etc/systemd/system/fediverse-backup.timer
systemctl -q enable fediverse-backup.timer certbot.timer
