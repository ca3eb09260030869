#!/usr/bin/env bash
# Runs the tests on private servers (RabbitMQ, and MariaDB, MySQL or PostgreSQL), which it installs when missing, starts empty, and stops and
# removes again.
#
#   ./test.sh                       all tests, on MariaDB
#   ./test.sh --filter TEXT         only tests whose full name (Namespace.Class.Method) contains TEXT
#   ./test.sh --database postgres   the PostgreSQL build; all: one build after the other
#   ./test.sh --servers newer       today's MySQL, PostgreSQL and RabbitMQ instead of Debian 12's (docs/mysql.md); as root
#   ./test.sh [-p:NAME=VALUE]...    a property of the build
#   ./test.sh [ARGUMENT]...         any other argument goes to dotnet test
#
# The last line is "N passed, N failed[, N skipped]"; exit code 0 only when tests ran and none failed.
#
# TEST_MYSQL or TEST_POSTGRES (connection string of a superuser) and TEST_RABBITMQ with TEST_RABBITMQ_MANAGEMENT
# (http://user:password@host:port/) name servers to use instead of private ones; ConnectionStrings__Platform (of the one database) and
# RabbitMq__Uri do too. Tests make databases and virtual hosts of their own there and remove them.
set -uo pipefail
cd "$(dirname "$0")" || exit 1
. tools/servers.sh
. tools/build.sh
answer_signals "$@"

# A test that hangs is ended after hang_minutes, a project after project_minutes, all after total_minutes for each database.
hang_minutes=8 project_minutes=25 total_minutes=50

arguments=() databases=(mysql)
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
        --database)
            databases=("${2:-}")
            [[ ${2:-} != all ]] || databases=(mysql postgres)
            shift
            ;;
        --servers) choose_servers "${2:-}" || exit 2; shift ;;
        -p:*) properties+=("$1") ;;
        *) arguments+=("$1") ;;
    esac
    shift
done
for database in "${databases[@]}"; do choose_database "$database" || exit 2; done
total_minutes=$((total_minutes * ${#databases[@]}))

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
install_unlocked rabbitmq chromium "${databases[@]}" || give_up "The servers could not be installed."
require_dotnet || give_up "Nothing can be built."

# What an earlier run left behind when it was killed itself.
folder=$(servers_folder) || give_up "There is no folder for the servers."
kill_servers "$work"
kill_servers "$folder/test"
rm -rf "$folder/test"
servers=$folder/test
mkdir -m 711 "$servers"

if [[ ${ConnectionStrings__Platform:-} ]]; then
    ((${#databases[@]} == 1)) || give_up "ConnectionStrings__Platform names one server of two: set TEST_MYSQL and TEST_POSTGRES instead."
    server_variable=TEST_${databases[0]^^}
    export "$server_variable=${!server_variable:-$ConnectionStrings__Platform}"
fi
export TEST_RABBITMQ=${TEST_RABBITMQ:-${RabbitMq__Uri:-}} TEST_RABBITMQ_MANAGEMENT=${TEST_RABBITMQ_MANAGEMENT:-} TEST_SERVERS=$servers
# A service that a test forgot to configure must not find a real database.
unset ConnectionStrings__Platform RabbitMq__Uri

if [[ $TEST_RABBITMQ && ! $TEST_RABBITMQ_MANAGEMENT ]]; then
    give_up "TEST_RABBITMQ_MANAGEMENT is not set: where is the management plugin of $TEST_RABBITMQ?"
fi
private=()
for database in "${databases[@]}"; do
    server_variable=TEST_${database^^}
    [[ ${!server_variable:-} ]] && continue
    private+=("$database")
    start "$database" "${database}_start" "$servers/$database"
done
[[ $TEST_RABBITMQ ]] || start rabbitmq rabbitmq_start "$servers/rabbitmq"

# attribute NAME FILE: the value of an attribute of the result file's Counters element.
attribute() { grep -o '<Counters [^>]*' "$2" | sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p"; }

# failures FILE: a line for each failed test of a result file, and the first lines of its message.
failures() {
    awk -v database="$database" '
        /<UnitTestResult / { failed = /outcome="Failed"/ }
        failed && match($0, /testName="[^"]*"/) { print "failed on " database ": " substr($0, RSTART + 10, RLENGTH - 11) }
        failed && sub(/.*<Message>/, "") { lines = 8 }
        lines > 0 { last = sub(/<\/Message>.*/, ""); print "    " substr($0, 1, 400); lines = last ? 0 : lines - 1 }
    ' "$1" | sed 's/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&#xD;//g; s/&amp;/\&/g'
}

passed=0 failed=0 skipped=0 summary=()

# test_database NAME: builds, and runs every project.
test_database() {
    local project name seconds log status result project_failed project_passed line running
    choose_database "$1"
    rm -rf "${work:?}/$database"
    mkdir "$work/$database"
    printf 'Building for %s.\n' "$database"
    if ! build Platform.sln; then
        failed=$((failed + 1)) summary+=("The build for $database failed: $work/build.log has all of it.")
        return
    fi
    if ((${#starting[@]})); then
        await_starts || give_up "A server did not start."
        for name in "${private[@]}"; do export "TEST_${name^^}=$(server_value "$name" admin)"; done
        if [[ ! $TEST_RABBITMQ ]]; then
            TEST_RABBITMQ=$(server_value rabbitmq uri)
            TEST_RABBITMQ_MANAGEMENT=$(server_value rabbitmq management)
        fi
    fi
    printf 'Built and started in %s s.\n' "$SECONDS"

    for project in tests/*.Tests/*.Tests.csproj; do
        [[ -e $project ]] || break
        name=$(basename "$project" .csproj)
        seconds=$((total_minutes * 60 - SECONDS))
        if ((seconds <= 0)); then
            failed=$((failed + 1)) summary+=("$name ($database) did not run: $total_minutes minutes were over.")
            continue
        fi
        ((seconds < project_minutes * 60)) || seconds=$((project_minutes * 60))
        log=$work/$database/$name.log
        printf '\n%s, %s\n' "$name" "$database"
        run show "$seconds" "$log" dotnet test "$project" --configuration Release --no-build --nologo --verbosity quiet "${build_properties[@]}" \
            --logger "console;verbosity=minimal" --logger "trx;LogFileName=result.trx" --results-directory "$work/$database/results/$name" \
            --blame-hang-timeout "${hang_minutes}m" --blame-hang-dump-type none "${arguments[@]}"
        status=$?
        result=$work/$database/results/$name/result.trx
        project_failed=0
        if [[ -s $result ]]; then
            project_passed=$(attribute passed "$result")
            project_failed=$(attribute failed "$result")
            passed=$((passed + project_passed))
            failed=$((failed + project_failed))
            skipped=$((skipped + $(attribute total "$result") - $(attribute executed "$result")))
            while IFS= read -r line; do
                summary+=("$line")
            done < <(failures "$result")
        fi
        if ((status == 124)); then
            failed=$((failed + 1)) summary+=("$name ($database) was ended after $seconds s.")
        elif grep -q '^Test Run Aborted' "$log"; then
            # The result file knows nothing of the tests that ran at that moment.
            running=$(sed -n '/^The tests\? running when the crash occurred/,/^$/p' "$log" | sed 1d | tr -s '\n' ' ')
            failed=$((failed + 1)) summary+=("$name ($database) crashed or hung for $hang_minutes minutes in: ${running:-see $log}")
        elif ((status != 0 && project_failed == 0)); then
            failed=$((failed + 1)) summary+=("$name ($database) ended with code $status: see $log.")
        fi
    done
}

for database in "${databases[@]}"; do test_database "$database"; done

if ((${#summary[@]})); then
    printf '\n'
    printf '%s\n' "${summary[@]}"
elif ((passed == 0)); then
    printf '\nNo test ran.\n'
fi
printf '\nIn %s s.\n' "$SECONDS"
finish "$passed" "$failed" "$skipped"
