#!/usr/bin/env bash
# Starts Platform on this machine and shows what it does: servers, API, worker and dashboard, then an import of 200,000 users, an export and
# a count, and stays up until Ctrl-C.
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
#
# API and dashboard ask for a key: the script makes one and keeps it in .data/authorization, for this user alone to read.
#
# The API listens on port 5080, the worker on 5081 and the dashboard on 5082; where somebody has a port it is the next one, ten further on,
# and the script says so. What it writes only its user can read. Each service has a user of its own at the database (deploy/roles), and all
# have one at the broker; their passwords lie beside the servers' data, and the one for the management UI is printed on a terminal only.
set -uo pipefail
cd "$(dirname "$0")" || exit 1
. tools/servers.sh
. tools/build.sh
. tools/services.sh
answer_signals "$@"
# Logs, files of users and passwords are nobody else's.
umask 077

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
# The servers' users pass through .data.
mkdir -p -m 711 "$repository/.data"
mkdir -p "$work" "$logs" && chmod 700 "$work" "$logs" || exit 1
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
    end_process "$work/dashboard.pid" TERM 15
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
dashboard=$repository/services/Dashboard/$output/Platform.Dashboard.dll
cli=$repository/tools/Platform.Cli/$output/platform.dll
# Even a build that finds nothing to do takes many seconds, so it is only asked for when a source has changed.
sources=$(find shared services tools ./*.props global.json .editorconfig BannedSymbols.txt \( -name bin -o -name obj \) -prune \
    -o -type f -printf '%p %s %T@\n' | sort | cat - <(printf '%s\n' "${build_properties[@]}") | sha256sum)
if [[ ! -e $api || ! -e $worker || ! -e $dashboard || ! -e $cli || $sources != "$(cat "$work/built-sources-$provider" 2>/dev/null)" ]]; then
    printf 'Building; the first time takes a minute or two.\n'
    : >"$work/build.log"
    # What is built may be read by everybody, as the sources are.
    umask 022
    build services/Api services/Worker services/Dashboard tools/Platform.Cli || fail "The build failed: $work/build.log has all of it."
    umask 077
    printf '%s\n' "$sources" >"$work/built-sources-$provider"
    done_step "built"
fi

await_starts || fail "A server did not start."

management='of your own broker'
for name in "${needed[@]}"; do
    case $name in
        postgres | mysql)
            users=$("${name}_database" "$servers/$name" "$(server_value "$name" port)") || fail "The database could not be created."
            while IFS= read -r line; do connection[${line%%=*}]=${line#*=}; done <<<"$users"
            ;;
        rabbitmq)
            management=$(server_value rabbitmq management)
            RabbitMq__Uri=$(rabbitmq_user "$servers/rabbitmq" "$(server_value rabbitmq uri)" "$management") || fail "The broker's user could not be made."
            export RabbitMq__Uri
            management="http://${management##*@}  user services, password "
            # Not into a file or the log of another program.
            if [[ -t 1 ]]; then management+=$(password "$servers/rabbitmq" services); else management+="in $servers/rabbitmq/services.password"; fi
            ;;
    esac
done
((${#needed[@]})) && done_step "${needed[*]} started"

service migrate "$api" migrate
wait $! || { tail -n 20 "$logs/migrate.log" >&2; fail "The migrations failed: see $logs/migrate.log"; }
# New tables come with migrations.
if [[ ${connection[migrate]:-} ]]; then
    "${database}_rights" "$servers/$database" "$(server_value "$database" port)" || fail "The services' users could not be given their rights."
fi
done_step "database migrated"

port=([api]=5080 [worker]=5081 [dashboard]=5082) assembly=([api]=$api [worker]=$worker [dashboard]=$dashboard)
is_ready() { [[ $(http_status 127.0.0.1 "$1" "$2") == 200 ]]; }

# A session outlives a restart.
export Dashboard__SessionKeyFolder=$work/session-keys
# With the page that documents the API.
export ASPNETCORE_ENVIRONMENT=${ASPNETCORE_ENVIRONMENT:-Development}
serve api
serve worker
serve dashboard
settle api 5080 || exit 1
settle worker 5081 || exit 1
settle dashboard 5082 || exit 1
url=http://127.0.0.1:${port[api]}
await 60 "$work/api.pid" "$logs/api.log" "The API" is_ready "${port[api]}" /health/ready || exit 1
await 60 "$work/worker.pid" "$logs/worker.log" "The worker" is_ready "${port[worker]}" /health/live || exit 1
await 60 "$work/dashboard.pid" "$logs/dashboard.log" "The dashboard" is_ready "${port[dashboard]}" /health/ready || exit 1
done_step "API, worker and dashboard started"

# The key of an earlier run is used again for as long as the API knows it. curl -H @FILE reads the line as it is, and so does the CLI.
key_file=$repository/.data/authorization
known=3
[[ ! -s $key_file ]] || { dotnet "$cli" --url "$url" --key-file "$key_file" kinds >/dev/null 2>&1 9>&-; known=$?; }
# 3: the API does not know it. Anything else is no reason for another key of an administrator.
if ((known == 3)); then
    key=$(ConnectionStrings__Platform=${connection[api]:-${ConnectionStrings__Platform:-}} env -C "$(dirname "$api")" dotnet "$api" create-key run.sh admin 9>&-) || fail "The API's first key could not be made."
    rm -f "$key_file"
    # Not as an argument: everybody can read the arguments of a process.
    printf 'Authorization: Bearer %s\n' "$key" >"$key_file"
    unset key
    done_step "API key made"
fi

# --- What it does -----------------------------------------------------------------------------------------------------------------

# require_services: says which service ended by itself, if any.
require_services() {
    local name
    for name in api worker dashboard; do
        is_running "$work/$name.pid" && continue
        complain "$name ended by itself. The end of $logs/$name.log:"
        tail -n 20 "$logs/$name.log" >&2
        exit 1
    done
}

# Nobody is there to press Ctrl-C with --once. Progress goes to the terminal.
${once:+timeout --foreground 3600} dotnet "$cli" --url "$url" --key-file "$key_file" demo --rows "$rows" --output .data/run </dev/null 9>&- &
command_pid=$!
while kill -0 "$command_pid" 2>/dev/null; do
    require_services
    pause 0.1
done
wait "$command_pid"
status=$?
command_pid=
# 5: the numbers do not agree. Whoever wants to find out why still needs the services.
((status == 0)) || [[ $status == 5 && ! $once ]] || fail "platform demo ended with code $status. The logs are in $logs."

printf '\nDashboard    http://127.0.0.1:%s  sign in with what %q contains\nAPI          %s\nAPI key      curl -H @%q %s/heavy-tasks\nSwagger UI   %s/swagger\nRabbitMQ     %s\nLogs         %s\n' \
    "${port[dashboard]}" "$key_file" "$url" "$key_file" "$url" "$url" "$management" "$logs"
[[ $once ]] || printf 'Try it       PLATFORM_URL=%s PLATFORM_API_KEY_FILE=%q dotnet %q submit users.statistics --follow\n' "$url" "$key_file" "$cli"
printf 'Ready after %s s.' "$SECONDS"
if [[ $once ]]; then
    printf '\n'
    exit 0
fi

up=yes
printf ' Ctrl-C stops everything.\n'
while require_services; do pause 1; done
