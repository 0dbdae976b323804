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
keep keys "$(random)"
keep postgres_password "$(random)"
keep redis_conf "requirepass $(random)"
keep database_url "postgresql://fedisec:$(cat "$folder/postgres_password")@postgres:5432/fedisec"
keep redis_url "redis://:$(cut -d' ' -f2 "$folder/redis_conf")@redis:6379/0"
# The containers run as other users and see each file alone; on this machine the folder keeps others out.
chmod 700 "$folder"
chmod 644 "$folder"/*
