#!/usr/bin/env bash
# Measures throughput and latency beside their bare limits on the same database, on private servers that it starts empty and removes
# again. Takes about ten minutes, and wants the machine for itself. bench/README.md says what is counted.
#
#   bench/run-throughput.sh                        on MariaDB; results go to bench/results/tmp/mysql
#   bench/run-throughput.sh --database postgres    on PostgreSQL
#   bench/run-throughput.sh --quick                short, to see that it works
#   bench/run-throughput.sh --help                 all options
#
# Exit code 0 when every section was measured to its end.
#
# TEST_MYSQL or TEST_POSTGRES (connection string of an administrator) and TEST_RABBITMQ with TEST_RABBITMQ_MANAGEMENT name servers to use
# instead. They should be durable, and on MySQL READ COMMITTED.
set -uo pipefail
name=throughput
. "$(dirname "$0")/servers.sh"
database=mysql arguments=()
while (($#)); do
    case $1 in
        --database) database=${2:-} && shift ;;
        *) arguments+=("$1") ;;
    esac
    shift
done
measure "$database" 3600 --out "$repository/bench/results/tmp/$database" "${arguments[@]}"
