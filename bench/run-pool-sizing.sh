#!/usr/bin/env bash
# Runs eight settings of a worker and compares throughput and wait with what "platform size" predicts. Takes about four minutes and wants
# the machine for itself.
#
#   bench/run-pool-sizing.sh                         results in bench/results
#   bench/run-pool-sizing.sh --seconds 5 --results DIRECTORY
#
# TEST_POSTGRES (connection string of a superuser) and TEST_RABBITMQ with TEST_RABBITMQ_MANAGEMENT name servers to use instead of private ones.
set -uo pipefail
name=pool-sizing
. "$(dirname "$0")/servers.sh"
measure postgres 900 --results "$repository/bench/results" "$@"
