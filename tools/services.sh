# Sourced by run.sh after servers.sh, with "work" (for pid files) and "logs" set to folders: starts services on ports, and makes the database
# and the users that they have to themselves.

# pause SECONDS: signals are answered at once.
pause() {
    sleep "$1" 9>&- &
    wait $!
}

declare -A connection

# service NAME ASSEMBLY ARGUMENT...: in the assembly's folder, where its settings are, with the "connection" string of that name where there
# is one.
service() {
    local name=$1 assembly=$2
    local -x ConnectionStrings__Platform=${connection[$1]:-${ConnectionStrings__Platform:-}}
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

# The users of deploy/roles in a private server, none of whom administers it. Each makes them and prints NAME=CONNECTION STRING for
# "migrate", "api", "worker" and "dashboard", one a line. The SQL is input: everybody can read the arguments of a process.

# role_passwords FOLDER FORMAT: a statement for each of them; the format takes its name and its password.
role_passwords() {
    local name secret
    for name in migrate api worker dashboard; do
        secret=$(password "$1" "platform-$name") || return
        printf "$2\n" "platform_$name" "$secret"
    done
}

# mysql_database FOLDER PORT
mysql_database() {
    local name
    # Last goes the user of earlier versions, which could do everything.
    {
        printf 'CREATE DATABASE IF NOT EXISTS platform;\nUSE platform;\n'
        cat "$repository/deploy/roles/mysql/users.sql"
        role_passwords "$1" "ALTER USER %s@'%%' IDENTIFIED BY '%s' ACCOUNT UNLOCK;" || return
        printf "DROP USER IF EXISTS platform@'127.0.0.1';\n"
    } | mysql_sql "$1" "$2" || return
    for name in migrate api worker dashboard; do
        printf '%s=%s%s\n' "$name" \
            "Server=127.0.0.1;Port=$2;User ID=platform_$name;Password=$(password "$1" "platform-$name");Database=platform" \
            "$([[ $name != worker ]] || printf ';AllowLoadLocalInfile=true')"
    done
}

# mysql_rights FOLDER PORT: after each migration.
mysql_rights() { mysql_sql "$1" "$2" platform <"$repository/deploy/roles/mysql/rights.sql"; }

# postgres_database FOLDER PORT
postgres_database() {
    local name
    {
        printf '%s\n' "SELECT 'CREATE DATABASE platform' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'platform') \\gexec" \
            '\connect platform'
        cat "$repository/deploy/roles/postgres/users.sql"
        role_passwords "$1" "ALTER ROLE %s LOGIN PASSWORD '%s';" || return
        # The role of earlier versions owned everything.
        printf '%s\n' "SELECT unnest(ARRAY['REASSIGN OWNED BY platform TO platform_migrate', 'DROP OWNED BY platform', 'DROP ROLE platform'])" \
            "WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = 'platform') \\gexec"
    } | postgres_sql "$1" "$2" >/dev/null || return
    for name in migrate api worker dashboard; do
        printf '%s=%s\n' "$name" \
            "Host=127.0.0.1;Port=$2;Username=platform_$name;Password=$(password "$1" "platform-$name");Database=platform"
    done
}

# postgres_rights FOLDER PORT: after each migration.
postgres_rights() { postgres_sql "$1" "$2" -d platform <"$repository/deploy/roles/postgres/rights.sql" >/dev/null; }

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
