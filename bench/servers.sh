# Sourced by the measurements with "name" set: builds the runner, starts private servers (or takes those that are named), runs one
# measurement, and leaves nothing behind.
#
# The last argument --no-build leaves the build as it is.
#
# TEST_POSTGRES: connection string of a superuser; TEST_MYSQL: of an administrator; TEST_RABBITMQ: the broker;
# TEST_RABBITMQ_MANAGEMENT: its management plugin.
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

# measure DATABASE SECONDS ARGUMENT...: runs the measurement "name" on mysql or postgres, for so long at most.
measure() {
    local limit=$2 administrator=TEST_POSTGRES settings=() folder
    choose_database "$1" || exit 2
    shift 2
    # What the platform tells its own sessions, for everybody.
    [[ $database == postgres ]] || administrator=TEST_MYSQL settings=(transaction_isolation=READ-COMMITTED loose_idle_transaction_timeout=15)
    if [[ ${*: -1} == --no-build ]]; then
        set -- "${@:1:$#-1}"
    else
        build bench/Runner || exit 1
    fi
    install_servers rabbitmq "$database" && require_dotnet || exit 1
    kill_servers "$work"
    folder=$(servers_folder "$database") || exit 1
    kill_servers "$folder/$name"
    rm -rf "$folder/$name"
    servers=$folder/$name
    mkdir -m 711 "$servers"
    if [[ ! ${!administrator:-} ]]; then
        (trap - EXIT; umask 077; "${database}_start" "$servers/$database" "${settings[@]}" >"$work/$database.server") || exit 1
        printf -v "$administrator" %s "$(server_value "$database" admin)"
    fi
    if [[ ! ${TEST_RABBITMQ:-} ]]; then
        (trap - EXIT; umask 077; rabbitmq_start "$servers/rabbitmq" >"$work/rabbitmq.server") || exit 1
        TEST_RABBITMQ=$(server_value rabbitmq uri)
        TEST_RABBITMQ_MANAGEMENT=$(server_value rabbitmq management)
    fi
    export "${administrator?}" TEST_RABBITMQ TEST_RABBITMQ_MANAGEMENT
    unset ConnectionStrings__Platform RabbitMq__Uri
    run show "$limit" "$work/run.log" env -C "$caller" \
        dotnet "$repository/bench/Runner/bin/$provider/Release/net10.0/Platform.Runner.dll" "$name" "$@"
}
