#!/bin/sh
# secrets.sh [FOLDER]: the secrets of docker-compose.yml, made once; existing ones are kept.
set -eu
folder=${1:-secrets}

umask 077
mkdir -p "$folder"
random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
keep() {
    [ -s "$folder/$1" ] || printf '%s' "$2" >"$folder/$1"
}
keep secret_key "$(random)$(random)"
keep worker_secret_key "$(random)$(random)"
keep proof_key "$(random)"
keep keys "$(random)"
keep postgres_password "$(random)"
# Nobody without a name and a password, and with it no way to change the server itself.
keep redis_conf "user default off
user fedisec on >$(random) ~* &* +@all -@admin -@dangerous +info
"
keep database_url "postgresql://fedisec:$(cat "$folder/postgres_password")@postgres:5432/fedisec"
keep worker_database_url "postgresql://fedisec_worker:$(random)@postgres:5432/fedisec"
keep redis_url "redis://fedisec:$(sed -n 's/.*>\([^ ]*\) .*/\1/p' "$folder/redis_conf")@redis:6379/0"
# The containers run as other users and see each file alone; on this machine the folder keeps others out.
chmod 700 "$folder"
chmod 644 "$folder"/*
