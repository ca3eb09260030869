#!/usr/bin/env bash
# Starts Platform on this machine and shows what it does: servers, API and worker, then an import of 200,000 users, an export and a
# count, and stays up until Ctrl-C.
#
#   ./run.sh              everything, then stay
#   ./run.sh --once       everything, check that the numbers agree, stop everything; exit code 0 only when they do
#   ./run.sh --fresh      forget the data of earlier runs first (of the private servers only)
#   ./run.sh --database postgres   the PostgreSQL build on PostgreSQL, instead of the MySQL build on MariaDB
#   ./run.sh --servers newer       today's MySQL, PostgreSQL and RabbitMQ instead of Debian 12's (docs/mysql.md); as root
#   ./run.sh [-p:NAME=VALUE]...    a property of the build
#
# RabbitMQ and the database are private: on loopback, on ports of their own, with data in .data. What is not installed is installed (as
# root), or named. ConnectionStrings__Platform and RabbitMq__Uri name servers to use instead; PLATFORM_ROWS is the number of users
# (default 200000).
set -uo pipefail
cd "$(dirname "$0")" || exit 1
. tools/servers.sh
. tools/build.sh

once='' fresh='' rows=${PLATFORM_ROWS:-200000} chosen=mysql
while (($#)); do
    case $1 in
        --once) once=yes ;;
        --fresh) fresh=yes ;;
        --database) chosen=${2:-}; shift ;;
        --servers) choose_servers "${2:-}" || exit 2; shift ;;
        -p:*) properties+=("$1") ;;
        -h | --help)
            sed -n '2,/^set /s/^#\( \|$\)//p' "$0"
            exit
            ;;
        *) complain "Unknown argument $1; see ./run.sh --help"; exit 2 ;;
    esac
    shift
done
choose_database "$chosen" || exit 2
[[ $rows =~ ^[1-9][0-9]{0,8}$ ]] || { complain "PLATFORM_ROWS is to be a number from 1 to 999999999, not '$rows'."; exit 2; }

work=$repository/.data/run
logs=$repository/.data/logs
mkdir -p "$work" "$logs"
exec 9>"$repository/.data/run.lock"
flock -w 2 9 || { complain "./run.sh runs in this folder already."; exit 1; }

stopping='' servers='' starting=() command_pid='' up=''

# Ends what this script started and nothing else: the services first, so that they still have their servers while they finish.
clean_up() {
    local pid
    # The shell would report every process that it kills.
    exec 2>/dev/null
    # Whoever asks again does not want to wait.
    trap 'kill_servers "$work"; kill_servers "$servers"' INT TERM
    [[ $up ]] && printf '\nStopping.\n'
    [[ $command_pid ]] && kill "$command_pid" 2>/dev/null
    for pid in "${starting[@]}"; do kill "$pid" 2>/dev/null; done
    for pid in "${starting[@]}"; do wait "$pid" 2>/dev/null; done
    end_process "$work/run.pid"
    end_process "$work/migrate.pid" TERM 5
    end_process "$work/worker.pid" TERM 60
    end_process "$work/api.pid" TERM 30
    if [[ $servers ]]; then
        rabbitmq_stop "$servers/rabbitmq" &
        "${database}_stop" "$servers/$database"
        wait $!
    fi
}
trap clean_up EXIT
trap '[[ $up ]] && exit 0; exit 130' INT
trap '[[ $up ]] && exit 0; exit 143' TERM

fail() {
    complain "$*"
    exit 1
}

# done_step TEXT: says what was done and how long it took.
step_started=${EPOCHREALTIME/[.,]/}
done_step() {
    local now=${EPOCHREALTIME/[.,]/}
    printf '%6d.%d s  %s\n' $(((now - step_started) / 1000000)) $(((now - step_started) / 100000 % 10)) "$1"
    step_started=$now
}

# --- Servers and services ---------------------------------------------------------------------------------------------------------

needed=()
[[ ${ConnectionStrings__Platform:-} ]] || needed+=("$database")
[[ ${RabbitMq__Uri:-} ]] || needed+=(rabbitmq)
if ((${#needed[@]})); then
    install_unlocked "${needed[@]}" || exit 1
fi
require_dotnet || exit 1

# What an earlier run left behind when it was killed itself.
kill_servers "$work"
if ((${#needed[@]})); then
    folder=$(servers_folder) || exit 1
    for servers in "$folder/run-newer" "$folder/run"; do kill_servers "$servers"; done
    # The data of one are not for the other.
    [[ ! $servers_root ]] || servers=$folder/run-newer
    [[ ! $fresh ]] || rm -rf "$servers"
    mkdir -p -m 711 "$servers"
fi

for name in "${needed[@]}"; do
    case $name in
        postgres) SERVER_PORT=21432 start postgres postgres_start "$servers/postgres" ;;
        # What the services would tell each of their sessions otherwise.
        mysql) SERVER_PORT=21306 start mysql mysql_start "$servers/mysql" transaction_isolation=READ-COMMITTED loose_idle_transaction_timeout=15 ;;
        rabbitmq) SERVER_PORT=21672 start rabbitmq rabbitmq_start "$servers/rabbitmq" ;;
    esac
done

output=bin/$provider/Release/net10.0
api=$repository/services/Api/$output/Platform.Api.dll
worker=$repository/services/Worker/$output/Platform.Worker.dll
cli=$repository/tools/Platform.Cli/$output/platform.dll
# Even a build that finds nothing to do takes many seconds, so it is only asked for when a source has changed.
sources=$(find shared services tools ./*.props global.json .editorconfig BannedSymbols.txt \( -name bin -o -name obj \) -prune \
    -o -type f -printf '%p %s %T@\n' | sort | cat - <(printf '%s\n' "${build_properties[@]}") | sha256sum)
if [[ ! -e $api || ! -e $worker || ! -e $cli || $sources != "$(cat "$work/built-sources-$provider" 2>/dev/null)" ]]; then
    printf 'Building; the first time takes a minute or two.\n'
    build services/Api services/Worker tools/Platform.Cli || fail "The build failed: $work/build.log has all of it."
    printf '%s\n' "$sources" >"$work/built-sources-$provider"
    done_step "built"
fi

await_starts || fail "A server did not start."

# The services' own user owns the database and is not the server's superuser.
create_mysql_database() {
    local secret
    secret=$(password "$servers/mysql")
    mysql_sql "$servers/mysql" "$(server_value mysql port)" <<SQL || return
CREATE DATABASE IF NOT EXISTS platform;
CREATE USER IF NOT EXISTS platform@'127.0.0.1' IDENTIFIED BY '$secret';
GRANT ALL ON platform.* TO platform@'127.0.0.1';
SQL
    export ConnectionStrings__Platform="Server=127.0.0.1;Port=$(server_value mysql port);User ID=platform;Password=$secret;Database=platform;AllowLoadLocalInfile=true"
}

create_postgres_database() {
    local folder=$servers/postgres secret
    secret=$(password "$folder")
    postgres_sql "$folder" "$(server_value postgres port)" -v secret="$secret" >/dev/null <<'SQL' || return
SELECT format('CREATE ROLE platform LOGIN PASSWORD %L', :'secret') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'platform') \gexec
SELECT 'CREATE DATABASE platform OWNER platform' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'platform') \gexec
SQL
    export ConnectionStrings__Platform="Host=127.0.0.1;Port=$(server_value postgres port);Username=platform;Password=$secret;Database=platform"
}

management='of your own broker'
for name in "${needed[@]}"; do
    case $name in
        postgres | mysql) "create_${name}_database" || fail "The database could not be created." ;;
        rabbitmq)
            export RabbitMq__Uri=$(server_value rabbitmq uri)
            management="$(server_value rabbitmq management | sed 's|//[^@]*@|//|')  user platform, password $(password "$servers/rabbitmq")"
            ;;
    esac
done
((${#needed[@]})) && done_step "${needed[*]} started"

# service NAME COMMAND...: in the assembly's folder, where its settings are.
service() {
    local name=$1 assembly=$2
    shift 2
    launch "$work/$name.pid" "$logs/$name.log" env -C "$(dirname "$assembly")" dotnet "$assembly" "$@"
}

service migrate "$api" migrate
wait $! || { tail -n 20 "$logs/migrate.log" >&2; fail "The migrations failed: see $logs/migrate.log"; }
done_step "database migrated"

api_port=5080 worker_port=5081
until is_port_free "$api_port"; do api_port=$((api_port + 10)); done
until is_port_free "$worker_port" && ((worker_port != api_port)); do worker_port=$((worker_port + 10)); done
url=http://127.0.0.1:$api_port

is_ready() { [[ $(http_status 127.0.0.1 "$1" "$2") == 200 ]]; }

service api "$api" --urls "$url"
disown
service worker "$worker" --urls "http://127.0.0.1:$worker_port"
disown
await 60 "$work/api.pid" "$logs/api.log" "The API" is_ready "$api_port" /health/ready || exit 1
await 60 "$work/worker.pid" "$logs/worker.log" "The worker" is_ready "$worker_port" /health/live || exit 1
done_step "API and worker started"

# --- What it does -----------------------------------------------------------------------------------------------------------------

# require_services: says which service ended by itself, if any.
require_services() {
    local name
    for name in api worker; do
        is_running "$work/$name.pid" && continue
        complain "$name ended by itself. The end of $logs/$name.log:"
        tail -n 20 "$logs/$name.log" >&2
        exit 1
    done
}

# pause SECONDS: signals are answered at once.
pause() {
    sleep "$1" 9>&- &
    wait $!
}

# platform ARGUMENT...: the command line; what it prints is in $answer. Progress goes to the terminal.
platform() {
    local status
    # Nobody is there to press Ctrl-C.
    ${once:+timeout --foreground 1800} dotnet "$cli" --url "$url" --json "$@" </dev/null >"$work/answer" 9>&- &
    command_pid=$!
    while kill -0 "$command_pid" 2>/dev/null; do
        require_services
        pause 0.1
    done
    wait "$command_pid"
    status=$?
    command_pid=
    answer=$(<"$work/answer")
    ((status == 0)) || fail "platform $1 ended with code $status. $answer
The logs are in $logs."
}

# field NAME [JSON]: a string or number of one level of JSON.
field() { grep -oE "\"$1\": ?(\"[^\"]*\"|[0-9]+)" <<<"${2:-$answer}" | head -n 1 | sed -E 's/^[^:]*: ?"?//; s/"$//'; }

# result NAME: a number of the finished task's result.
result() { field "$1" "$(grep -oE '"result": ?\{[^}]*\}' <<<"$answer" | head -n 1)"; }

platform generate-users "$work/users.csv" --rows "$rows"
done_step "$rows users generated"

platform upload "$work/users.csv"
done_step "$(field length) bytes uploaded"

platform submit users.import --follow --parameters \
    "{\"fileId\":\"$(field id)\",\"columns\":{\"externalId\":\"externalId\",\"name\":\"name\",\"email\":\"email\",\"country\":\"country\",\"signedUpAt\":\"signedUpAt\"}}"
imported=$(result imported) updated=$(result updated) skipped=$(result skipped) rejected=$(result rejected)
done_step "users.import: $imported imported, $updated updated, $skipped skipped (existed already), $rejected rejected"

platform submit users.export --follow
exported=$(result rows)
done_step "users.export: $exported rows"

platform download "$(field id)" --output "$work/exported.csv"
downloaded=$(($(wc -l <"$work/exported.csv") - 1))
done_step "$downloaded rows downloaded to .data/run/exported.csv"

platform submit users.statistics --follow
users=$(result users)
done_step "users.statistics: $users users, $(result countries) countries, $(result months) months"

wrong=()
((imported + updated + skipped == rows && rejected == 0)) ||
    wrong+=("$rows rows were generated, but $imported imported + $updated updated + $skipped skipped, and $rejected rejected.")
[[ $exported == "$users" ]] || wrong+=("$exported rows were exported, but users.statistics counted $users users.")
[[ $downloaded == "$exported" ]] || wrong+=("$exported rows were exported, but the downloaded file has $downloaded.")

printf '\nImported %s + updated %s + skipped %s of %s rows; %s users stored, %s exported.\n' "$imported" "$updated" "$skipped" "$rows" "$users" "$exported"
if ((${#wrong[@]})); then
    printf '\nThe numbers do not agree:\n' >&2
    printf '  %s\n' "${wrong[@]}" >&2
    [[ ! $once ]] || exit 1
fi
printf '\nAPI          %s\nSwagger UI   %s/swagger\nRabbitMQ     %s\nLogs         %s\nReady after %s s.' "$url" "$url" "$management" "$logs" "$SECONDS"
if [[ $once ]]; then
    printf '\n'
    exit 0
fi

up=yes
printf ' Ctrl-C stops everything.\n'
while require_services; do pause 1; done
