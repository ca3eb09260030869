#!/usr/bin/env bash
# Runs the tests on private servers (RabbitMQ, and PostgreSQL or MariaDB), which it installs when missing, starts empty, and stops and removes again.
#
#   ./test.sh                    all tests
#   ./test.sh --filter TEXT      only tests whose full name (Namespace.Class.Method) contains TEXT
#   ./test.sh --database mysql   the MySQL build on MariaDB instead of PostgreSQL (docs/mysql.md)
#   ./test.sh [ARGUMENT]...      any other argument goes to dotnet test
#
# The last line is "N passed, N failed[, N skipped]"; exit code 0 only when tests ran and none failed.
#
# PLATFORM_NUGET_SOURCE names a further source of packages for the MySQL build.
# TEST_POSTGRES or TEST_MYSQL (connection string of a superuser) and TEST_RABBITMQ with TEST_RABBITMQ_MANAGEMENT (http://user:password@host:port/)
# name servers to use instead of private ones; ConnectionStrings__Platform and RabbitMq__Uri do too. Tests make databases and virtual
# hosts of their own there and remove them.
set -uo pipefail
cd "$(dirname "$0")" || exit 1
. tools/servers.sh
. tools/build.sh

# A test that hangs is ended after hang_minutes, a project after project_minutes, all after total_minutes.
hang_minutes=5 project_minutes=20 total_minutes=40

arguments=() chosen=postgres
while (($#)); do
    case $1 in
        -h | --help)
            sed -n '2,/^set /s/^#\( \|$\)//p' "$0"
            exit
            ;;
        --filter)
            [[ ${2:-} ]] || { complain "--filter needs a text."; exit 2; }
            arguments+=(--filter "FullyQualifiedName~$(sed 's/[\\()&|=!~]/\\&/g' <<<"$2")")
            shift
            ;;
        --database) chosen=${2:-}; shift ;;
        *) arguments+=("$1") ;;
    esac
    shift
done
choose_database "$chosen" || exit 2

work=$repository/.data/test
mkdir -p "$work"
exec 9>"$repository/.data/test.lock"
flock -w 2 9 || { complain "Another ./test.sh runs in this folder."; exit 1; }

stopping='' servers='' starting=()

# Ends what this script started and nothing else. Test servers are killed: their data goes with them.
clean_up() {
    local pid
    # The shell would report every process that it kills.
    exec 2>/dev/null
    trap '' INT TERM
    for pid in "${starting[@]}"; do kill "$pid" 2>/dev/null; done
    for pid in "${starting[@]}"; do wait "$pid" 2>/dev/null; done
    kill_servers "$work"
    if [[ $servers ]]; then
        kill_servers "$servers"
        rm -rf "$servers"
    fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# finish PASSED FAILED SKIPPED
finish() {
    clean_up
    trap - EXIT
    printf '\n%s passed, %s failed' "$1" "$2"
    (($3 == 0)) || printf ', %s skipped' "$3"
    printf '\n'
    (($1 > 0 && $2 == 0))
    exit
}

give_up() {
    complain "$1"
    finish 0 1 0
}

# What tests need besides the servers is for install_packages, too.
install_servers rabbitmq "$database" || give_up "The servers could not be installed."
require_dotnet || give_up "Nothing can be built."

# What an earlier run left behind when it was killed itself.
servers_root=$(servers_folder "$database") || give_up "There is no folder for the servers."
kill_servers "$work"
kill_servers "$servers_root/test"
rm -rf "$servers_root/test"
servers=$servers_root/test
mkdir -m 711 "$servers"

server_variable=TEST_${database^^}
export "$server_variable=${!server_variable:-${ConnectionStrings__Platform:-}}" TEST_RABBITMQ=${TEST_RABBITMQ:-${RabbitMq__Uri:-}} TEST_SERVERS=$servers
export TEST_RABBITMQ_MANAGEMENT=${TEST_RABBITMQ_MANAGEMENT:-}
# A service that a test forgot to configure must not find a real database.
unset ConnectionStrings__Platform RabbitMq__Uri

if [[ $TEST_RABBITMQ && ! $TEST_RABBITMQ_MANAGEMENT ]]; then
    give_up "TEST_RABBITMQ_MANAGEMENT is not set: where is the management plugin of $TEST_RABBITMQ?"
fi
[[ ${!server_variable} ]] || start "$database" "${database}_start" "$servers/$database"
[[ $TEST_RABBITMQ ]] || start rabbitmq rabbitmq_start "$servers/rabbitmq"

printf 'Building.\n'
# The MySQL build has neither shared/Outbox nor its tests: they are PostgreSQL's.
solution=Platform.sln
[[ $database == postgres ]] || solution=Platform.MySql.slnf
build "$solution" || give_up "The build failed: $work/build.log has all of it."

for pid in "${starting[@]}"; do wait "$pid" || give_up "A server did not start."; done
starting=()
if [[ ! ${!server_variable} ]]; then
    export "$server_variable=$(server_value "$database" admin)"
fi
if [[ ! $TEST_RABBITMQ ]]; then
    TEST_RABBITMQ=$(server_value rabbitmq uri)
    TEST_RABBITMQ_MANAGEMENT=$(server_value rabbitmq management)
fi
printf 'Built and started in %s s.\n' "$SECONDS"

# attribute NAME FILE: the value of an attribute of the result file's Counters element.
attribute() { grep -o '<Counters [^>]*' "$2" | sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p"; }

passed=0 failed=0 skipped=0 summary=()
rm -rf "$work/results"
for project in tests/*.Tests/*.Tests.csproj; do
    [[ -e $project ]] || break
    name=$(basename "$project" .csproj)
    if [[ $database == mysql && $name == Outbox.Tests ]]; then
        printf '\n%s is not for MySQL: it tests shared/Outbox, which the MySQL build replaces with MassTransit'"'"'s own outbox.\n' "$name"
        continue
    fi
    seconds=$((total_minutes * 60 - SECONDS))
    if ((seconds <= 0)); then
        failed=$((failed + 1)) summary+=("$name did not run: $total_minutes minutes were over.")
        continue
    fi
    ((seconds < project_minutes * 60)) || seconds=$((project_minutes * 60))
    log=$work/$name.log
    printf '\n%s\n' "$name"
    run show "$seconds" "$log" dotnet test "$project" --configuration Release --no-build --nologo --verbosity quiet "${build_properties[@]}" \
        --logger "console;verbosity=minimal" --logger "trx;LogFileName=result.trx" --results-directory "$work/results/$name" \
        --blame-hang-timeout "${hang_minutes}m" --blame-hang-dump-type none "${arguments[@]}"
    status=$?
    result=$work/results/$name/result.trx
    project_failed=0
    if [[ -s $result ]]; then
        project_passed=$(attribute passed "$result")
        project_failed=$(attribute failed "$result")
        passed=$((passed + project_passed))
        failed=$((failed + project_failed))
        skipped=$((skipped + $(attribute total "$result") - $(attribute executed "$result")))
        while read -r test; do
            summary+=("failed: $test")
        done < <(grep -o '<UnitTestResult [^>]*outcome="Failed"[^>]*' "$result" | sed 's/.* testName="\([^"]*\)".*/\1/; s/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g')
    fi
    if ((status == 124)); then
        failed=$((failed + 1)) summary+=("$name was ended after $seconds s.")
    elif grep -q '^Test Run Aborted' "$log"; then
        # The result file knows nothing of the tests that ran at that moment.
        running=$(sed -n '/^The tests\? running when the crash occurred/,/^$/p' "$log" | sed 1d | tr -s '\n' ' ')
        failed=$((failed + 1)) summary+=("$name crashed or hung for $hang_minutes minutes in: ${running:-see $log}")
    elif ((status != 0 && project_failed == 0)); then
        failed=$((failed + 1)) summary+=("$name ended with code $status: see $log.")
    fi
done

if ((${#summary[@]})); then
    printf '\n'
    printf '%s\n' "${summary[@]}"
elif ((passed == 0)); then
    printf '\nNo test ran.\n'
fi
printf '\nIn %s s.\n' "$SECONDS"
finish "$passed" "$failed" "$skipped"
