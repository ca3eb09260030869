#!/usr/bin/env bash
# The same load on four ways to host heavy work, with the same 15 database connections: work that keeps its request's context (captured),
# work with a scope of its own (scoped), with a pool of its own (own-pool), and the platform. Takes about nine minutes and wants the
# machine for itself. Exit code 0 only when what must hold for the platform holds.
#
#   bench/run-pool-exhaustion.sh                     results in bench/results, charts in docs/images
#   bench/run-pool-exhaustion.sh --seconds 2 --results DIRECTORY --charts DIRECTORY --multiples 1,2 --hostings scoped,platform
#
# TEST_POSTGRES (connection string of a superuser) and TEST_RABBITMQ with TEST_RABBITMQ_MANAGEMENT name servers to use instead of private ones.
set -uo pipefail
name=pool-exhaustion
. "$(dirname "$0")/servers.sh"
measure postgres 1500 --results "$repository/bench/results" --charts "$repository/docs/images" "$@"
