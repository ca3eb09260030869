#!/usr/bin/env bash
# Measures throughput and latency beside their bare limits, on private RabbitMQ and PostgreSQL servers that it starts empty and removes
# again. Takes about six minutes, and wants the machine for itself. bench/README.md says what is counted.
#
#   bench/run-throughput.sh            everything; results go to bench/results/tmp
#   bench/run-throughput.sh --quick    short, to see that it works
#   bench/run-throughput.sh --help     all options
#
# TEST_POSTGRES (connection string of a superuser) and TEST_RABBITMQ with TEST_RABBITMQ_MANAGEMENT name servers to use instead.
set -uo pipefail
caller=$PWD
cd "$(dirname "$0")/.." || exit 1
. tools/servers.sh
. tools/build.sh

work=$repository/.data/throughput
mkdir -p "$work"
exec 9>"$work.lock"
flock -n 9 || { complain "Another run is under way in this folder."; exit 1; }

stopping='' servers=''
clean_up() {
    trap '' INT TERM
    kill_servers "$work"
    if [[ $servers ]]; then
        kill_servers "$servers"
        rm -rf "$servers"
    fi
}
trap clean_up EXIT
trap 'stopping=yes; exit 130' INT
trap 'stopping=yes; exit 143' TERM

install_servers rabbitmq postgres && require_dotnet || exit 1
kill_servers "$work"
build bench/Throughput/ThroughputRunner || exit 1

servers_root=$(servers_folder) || exit 1
kill_servers "$servers_root/throughput"
rm -rf "$servers_root/throughput"
servers=$servers_root/throughput
mkdir -m 711 "$servers"
if [[ ! ${TEST_POSTGRES:-} ]]; then
    postgres_start "$servers/postgres" >"$work/postgres.server" || exit 1
    TEST_POSTGRES=$(sed -n 's/^admin=//p' "$work/postgres.server")
fi
if [[ ! ${TEST_RABBITMQ:-} ]]; then
    rabbitmq_start "$servers/rabbitmq" >"$work/rabbitmq.server" || exit 1
    TEST_RABBITMQ=$(sed -n 's/^uri=//p' "$work/rabbitmq.server")
    TEST_RABBITMQ_MANAGEMENT=$(sed -n 's/^management=//p' "$work/rabbitmq.server")
fi
export TEST_POSTGRES TEST_RABBITMQ TEST_RABBITMQ_MANAGEMENT
unset ConnectionStrings__Platform RabbitMq__Uri

run show 1800 "$work/run.log" env -C "$caller" dotnet "$repository/bench/Throughput/ThroughputRunner/bin/PostgreSql/Release/net10.0/Platform.ThroughputRunner.dll" \
    --out "$repository/bench/results/tmp" "$@"
