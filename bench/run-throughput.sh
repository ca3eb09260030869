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
name=throughput
. "$(dirname "$0")/servers.sh"
measure bench/Throughput/ThroughputRunner 1800 --out "$repository/bench/results/tmp" "$@"
