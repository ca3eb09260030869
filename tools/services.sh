# Sourced by run.sh after servers.sh, with "work" (for pid files) and "logs" set to folders: starts services on ports, and makes the database and
# the users that they have to themselves.

# pause SECONDS: signals are answered at once.
pause() {
    sleep "$1" 9>&- &
    wait $!
}

# service NAME ASSEMBLY ARGUMENT...: in the assembly's folder, where its settings are.
service() {
    local name=$1 assembly=$2
    shift 2
    launch "$work/$name.pid" "$logs/$name.log" env -C "$(dirname "$assembly")" dotnet "$assembly" "$@"
}

declare -A port assembly

# serve NAME: starts the service of "assembly" on the "port" of that name, or on the next one, ten further on, that looks free.
serve() {
    until is_port_free "${port[$1]}"; do port[$1]=$((port[$1] + 10)); done
    service "$1" "${assembly[$1]}" --urls "http://127.0.0.1:${port[$1]}"
    disown
}

# settle NAME PORT: waits until the service listens, and says when that is on another port. Its own bind decides who has a port: of two starts
# at once both may see it free, and the loser would take the other's service for its own. The loser goes on to the next port.
settle() {
    local log=$logs/$1.log deadline=$((SECONDS + 90)) reason=
    until grep -qsF "Now listening on: http://127.0.0.1:${port[$1]}" "$log"; do
        if ! is_running "$work/$1.pid"; then
            if grep -qsi 'address already in use' "$log"; then
                port[$1]=$((port[$1] + 10))
                serve "$1"
            else
                reason="The $1 ended while it started."
            fi
        elif ((SECONDS > deadline)); then
            reason="The $1 did not listen within 90 s."
        fi
        if [[ $reason ]]; then
            complain "$reason The end of $log:"
            tail -n 20 "$log" >&2
            return 1
        fi
        pause 0.1
    done
    ((port[$1] == $2)) || complain "Somebody has port $2: the $1 listens on ${port[$1]}."
}

# The services' own user owns the database and is not the server's superuser. Each prints the connection string.

# mysql_database FOLDER PORT
mysql_database() {
    local secret
    secret=$(password "$1" platform) || return
    # The user of an earlier run may have the administrator's password.
    mysql_sql "$1" "$2" <<SQL || return
CREATE DATABASE IF NOT EXISTS platform;
CREATE USER IF NOT EXISTS platform@'127.0.0.1' IDENTIFIED BY '$secret';
ALTER USER platform@'127.0.0.1' IDENTIFIED BY '$secret';
GRANT ALL ON platform.* TO platform@'127.0.0.1';
SQL
    printf '%s\n' "Server=127.0.0.1;Port=$2;User ID=platform;Password=$secret;Database=platform;AllowLoadLocalInfile=true"
}

# postgres_database FOLDER PORT
postgres_database() {
    local secret
    secret=$(password "$1" platform) || return
    # As input: everybody can read the arguments of a process.
    postgres_sql "$1" "$2" >/dev/null <<SQL || return
SELECT 'CREATE ROLE platform LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'platform') \gexec
ALTER ROLE platform PASSWORD '$secret';
SELECT 'CREATE DATABASE platform OWNER platform' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'platform') \gexec
SQL
    printf '%s\n' "Host=127.0.0.1;Port=$2;Username=platform;Password=$secret;Database=platform"
}

# rabbitmq_user FOLDER URI MANAGEMENT: the same at the broker, of which the addresses are the administrator's: the user may use everything of the
# virtual host "/" and look at the management UI, and administers nothing. Prints its URI.
rabbitmq_user() {
    local secret place=${3##*@} administrator=${3#http://} path body
    secret=$(password "$1" services) || return
    place=${place%/}
    for path in users/services permissions/%2F/services; do
        body='{"configure":".*","write":".*","read":".*"}'
        [[ $path == permissions/* ]] || body="{\"password\":\"$secret\",\"tags\":\"monitoring\"}"
        [[ $(http_status "${place%:*}" "${place#*:}" "/api/$path" "${administrator%@*}" "$body") == 20[14] ]] || return
    done
    printf '%s\n' "amqp://services:$secret@${2##*@}"
}
