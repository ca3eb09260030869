# Sourced by the measurements with "name" set: builds the runner, starts private servers (or takes those of TEST_POSTGRES and
# TEST_RABBITMQ), runs one measurement, and leaves nothing behind.
#
# The last argument --no-build leaves the build as it is.
#
# TEST_POSTGRES: connection string of a superuser; TEST_RABBITMQ: an empty virtual host; TEST_RABBITMQ_MANAGEMENT: its management plugin.
caller=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. tools/servers.sh
. tools/build.sh

work=$repository/.data/$name
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

# measure RUNNER SECONDS ARGUMENT...: runs the measurement, for so long at most. RUNNER: the folder of its project.
measure() {
    local runner=$1 limit=$2 servers_root
    shift 2
    if [[ ${*: -1} == --no-build ]]; then
        set -- "${@:1:$#-1}"
    else
        build "$runner" || exit 1
    fi
    install_servers rabbitmq postgres && require_dotnet || exit 1
    kill_servers "$work"
    servers_root=$(servers_folder) || exit 1
    kill_servers "$servers_root/$name"
    rm -rf "$servers_root/$name"
    servers=$servers_root/$name
    mkdir -m 711 "$servers"
    if [[ ! ${TEST_POSTGRES:-} ]]; then
        (trap - EXIT; postgres_start "$servers/postgres" >"$work/postgres.server") || exit 1
        TEST_POSTGRES=$(sed -n 's/^admin=//p' "$work/postgres.server")
    fi
    if [[ ! ${TEST_RABBITMQ:-} ]]; then
        (trap - EXIT; rabbitmq_start "$servers/rabbitmq" >"$work/rabbitmq.server") || exit 1
        TEST_RABBITMQ=$(sed -n 's/^uri=//p' "$work/rabbitmq.server")
        TEST_RABBITMQ_MANAGEMENT=$(sed -n 's/^management=//p' "$work/rabbitmq.server")
    fi
    export TEST_POSTGRES TEST_RABBITMQ TEST_RABBITMQ_MANAGEMENT
    unset ConnectionStrings__Platform RabbitMq__Uri
    run show "$limit" "$work/run.log" env -C "$caller" \
        dotnet "$repository/$runner/bin/PostgreSql/Release/net10.0/Platform.$(basename "$runner").dll" "$@"
}
