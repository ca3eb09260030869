# Sourced by run.sh and test.sh after servers.sh, with "work" set to the folder for logs: builds, and runs commands that may start others.

# Nothing may outlive the scripts: no idle build nodes, no build server of the command line.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

# run SECONDS LOG COMMAND...: runs a command in a session of its own, shows what it writes, and at its end ends all that came from it.
# Returns its exit code; 124: it took too long.
run() {
    local seconds=$1 log=$2 pid show status
    shift 2
    launch "$work/run.pid" "$log" timeout -k 10 "$seconds" "$@"
    pid=$!
    # In the background with wait, so that signals are answered at once.
    tail -n +1 -s 0.2 -f --pid="$pid" "$log" 9>&- &
    show=$!
    wait "$pid"
    status=$?
    end_process "$work/run.pid" TERM 2
    wait "$show"
    return "$status"
}

# build PROJECT...: in Release. The compiler server saves most of the time of the analyzers' start; its id keeps it apart from anybody
# else's, so that run can end it.
build() {
    local project
    for project in "$@"; do
        run 1200 "$work/build.log" dotnet build "$project" --configuration Release --verbosity quiet --nologo \
            -p:UseSharedCompilation=true -p:SharedCompilationId="platform-$$" || return
    done
}
