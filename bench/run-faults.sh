#!/usr/bin/env bash
# Faults of every kind, in random order at random moments, under load, with a count after every forty: no task lost, no effect twice, no
# task failed, nothing left behind. Takes about eight seconds a fault.
#
#   bench/run-faults.sh                        500 faults on MariaDB, 200 tasks/s
#   bench/run-faults.sh --database postgres    on PostgreSQL
#   bench/run-faults.sh --faults 40 --tasks-per-second 60 --seed 7
#   bench/run-faults.sh --disasters            instead: a full disk, a clock that jumps, a cluster of brokers whose nodes die, a standby
#                                              that is promoted; as root
#   bench/run-faults.sh --only broker          only faults whose names contain the text
#
# The seed is printed; the same seed gives the same faults with the same pauses, although not the same timing of everything between.
# Exit code 0 when every count was right. Private servers are started, stopped, killed and removed; others are never touched.
set -uo pipefail
name=faults
. "$(dirname "$0")/servers.sh"
database=mysql what=LongRun clock=()
while (($#)); do
    case $1 in
        --database) database=${2:-} ;;
        --faults) export FAULTS_FAULTS=${2:-} ;;
        --tasks-per-second) export FAULTS_TASKS_PER_SECOND=${2:-} ;;
        --disasters) what=Tests clock=(clock); shift; continue ;;
        --only) export FAULTS_ONLY=${2:-} ;;
        --seed) export FAULTS_SEED=${2:-} ;;
        -h | --help) sed -n '2,/^set /s/^#\( \|$\)//p' "${BASH_SOURCE[0]}"; exit ;;
        *) complain "There is no option $1."; exit 2 ;;
    esac
    shift $(($# > 1 ? 2 : 1))
done
choose_database "$database" || exit 2
install_servers rabbitmq "$database" "${clock[@]}" && require_dotnet || exit 1
build tests/Faults.Tests || exit 1
folder=$(servers_folder) || exit 1
kill_servers "$folder/$name"
rm -rf "$folder/$name"
servers=$folder/$name
mkdir -m 711 "$servers"
export TEST_SERVERS=$servers
unset ConnectionStrings__Platform RabbitMq__Uri
run show 43200 "$work/run.log" dotnet "$repository/tests/Faults.Tests/bin/$provider/Release/net10.0/Platform.Faults.Tests.dll" \
    -explicit only -class "*$what" -showliveoutput -noColor
