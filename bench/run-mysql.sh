#!/usr/bin/env bash
# Measures the MySQL build on private MariaDB and RabbitMQ servers that it starts empty and removes again: tasks accepted a second,
# messages of the outbox delivered beside that and from the backlog, and tasks run from a full queue. Takes about three minutes, and wants
# the machine for itself. Prints a line of JSON for each round. Absolute figures, without a bare limit beside them: ratios are
# run-throughput.sh's matter.
#
#   bench/run-mysql.sh [--no-build]
#
# PLATFORM_NUGET_SOURCE names a further source of packages, as for test.sh.
set -uo pipefail
name=mysql
. "$(dirname "$0")/servers.sh"
choose_database mysql
rounds=3 connections=32 warm_up=25 seconds=8 run_seconds=6

[[ ${1:-} == --no-build ]] || build services/Api bench/Throughput/RowWorker || exit 1
install_servers rabbitmq mysql && require_dotnet || exit 1
command -v wrk >/dev/null || install_packages wrk || exit 1
command -v curl >/dev/null || install_packages curl || exit 1
kill_servers "$work"
servers_root=$(servers_folder mysql) || exit 1
kill_servers "$servers_root/$name"
rm -rf "$servers_root/$name"
servers=$servers_root/$name
mkdir -m 711 "$servers"
for server in mysql rabbitmq; do
    (trap - EXIT; umask 077; "${server}_start" "$servers/$server" >"$work/$server.server") || exit 1
done

admin=$(server_value mysql admin)
sql() { MYSQL_PWD=${admin##*Password=} mariadb --no-defaults --protocol=tcp -h 127.0.0.1 -P "$(server_value mysql port)" -u admin -N -e "$1"; }
rows() { sql "SELECT count(*) FROM platform.$1"; }
reckon() { awk "BEGIN { printf \"%.0f\", $1 }"; }
now() { date +%s.%N; }
# service NAME DLL PORT [VARIABLE=VALUE]...: starts it and waits until it answers, with whatever.
service() {
    local service=$1 dll=$2 port=$3
    shift 3
    launch "$work/$service.pid" "$work/$service.log" env "$@" dotnet "$dll" --urls "http://127.0.0.1:$port"
    for ((try = 0; try < 300; try++)); do
        curl -s -o /dev/null "http://127.0.0.1:$port/health/ready" && return
        sleep 0.2
    done
    complain "The $service does not answer; its output is in $work/$service.log."
    exit 1
}
# Three minutes at most.
await_empty_outbox() {
    for ((try = 0; try < 900; try++)); do
        [[ $(rows outbox_messages) != 0 ]] || return 0
        sleep 0.2
    done
    complain "The outbox does not get empty."
    exit 1
}
post() { wrk -t1 -c"$connections" -d"$1" -s "$work/post.lua" "http://127.0.0.1:$api_port/heavy-tasks" | awk '/requests in/ { print $1 }'; }

printf '%s\n' 'wrk.method = "POST"' 'wrk.headers["Content-Type"] = "application/json"' \
    "wrk.body = '{\"kind\":\"users.statistics\",\"parameters\":{}}'" >"$work/post.lua"
sql "CREATE DATABASE platform CHARACTER SET utf8mb4" || exit 1
export ConnectionStrings__Platform="$admin;Database=platform" RabbitMq__Uri Logging__LogLevel__Default=Warning
RabbitMq__Uri=$(server_value rabbitmq uri)
api=$repository/services/Api/bin/MySql/Release/net10.0/Platform.Api.dll
mkdir -p "$work/api" "$work/worker"
api_port=$(find_ports "$work/api" 1) || exit 1
dotnet "$api" migrate >"$work/migrate.log" || { cat "$work/migrate.log" >&2; exit 1; }

service api "$api" "$api_port"
post "$warm_up" >"$work/warm-up.log"
await_empty_outbox
for ((round = 1; round <= rounds; round++)); do
    start=$(now)
    accepted=$(post "$seconds")
    middle=$(now)
    backlog=$(rows outbox_messages)
    await_empty_outbox
    end=$(now)
    printf '{"section":"accept","round":%s,"acceptedPerSecond":%s,"deliveredBesidePerSecond":%s,"backlog":%s,"deliveredFromBacklogPerSecond":%s}\n' \
        "$round" "$(reckon "$accepted / ($middle - $start)")" "$(reckon "($accepted - $backlog) / ($middle - $start)")" "$backlog" \
        "$(reckon "$backlog / ($end - $middle)")"
done
end_process "$work/api.pid" TERM 20

service worker "$repository/bench/Throughput/RowWorker/bin/MySql/Release/net10.0/Platform.RowWorker.dll" "$(find_ports "$work/worker" 1)" \
    HeavyTasks__Kinds__users.statistics__Concurrency="$connections" Database__MaxPoolSize="$((connections + 8))"
sleep "$((warm_up * 4 / 5))"
for ((round = 1; round <= rounds; round++)); do
    start=$(now)
    before=$(rows "heavy_tasks WHERE status = 'Succeeded'")
    sleep "$run_seconds"
    after=$(rows "heavy_tasks WHERE status = 'Succeeded'")
    printf '{"section":"run","round":%s,"tasksPerSecond":%s,"waiting":%s}\n' "$round" "$(reckon "($after - $before) / ($(now) - $start)")" \
        "$(rows "heavy_tasks WHERE status = 'Queued'")"
done
end_process "$work/worker.pid" TERM 30
