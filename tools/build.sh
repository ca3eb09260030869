# Sourced by run.sh and test.sh after servers.sh, with "work" set to their folder: builds, and runs commands that may start others.

# Nothing may outlive the scripts: no idle build nodes, no build server of the command line.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

# answer_signals ARGUMENT...: starts the script anew, in the same process, where SIGINT is ignored: a shell without job control starts what it
# puts into the background so, and a shell that was started so cannot trap the signal. Called in the script's own folder.
answer_signals() {
    local ignored
    ignored=$(sed -n 's/^SigIgn:[[:space:]]*//p' "/proc/$$/status")
    # Bit 1 is SIGINT.
    if ((0x$ignored & 2)) && [[ ! ${PLATFORM_SIGNALS:-} ]]; then
        PLATFORM_SIGNALS=answered exec env --default-signal=INT,QUIT bash "$PWD/$(basename "$0")" "$@"
    fi
    unset PLATFORM_SIGNALS
}

# run show|hide SECONDS LOG COMMAND...: runs a command in a session of its own, may show what it writes, and at its end ends all that
# came from it. Returns its exit code; 124: it took too long.
run() {
    local output=$1 seconds=$2 log=$3 pid show status
    shift 3
    # Before somebody follows it.
    : >"$log"
    launch "$work/run.pid" "$log" timeout -k 10 "$seconds" "$@"
    pid=$!
    # Both in the background with wait, so that signals are answered at once.
    if [[ $output == show ]]; then
        tail -n +1 -s 0.2 -f --pid="$pid" "$log" 9>&- &
        show=$!
    fi
    wait "$pid"
    status=$?
    end_process "$work/run.pid" TERM 2
    [[ $output == hide ]] || wait "$show"
    return "$status"
}

# Arguments that start with -p: are properties of the build.
properties=()

# choose_database NAME: mysql or postgres; sets "database", "provider" (the build's name of it) and "build_properties".
choose_database() {
    database=$1
    case $1 in
        mysql) provider=MySql ;;
        postgres) provider=PostgreSql ;;
        *) complain "--database is mysql or postgres, not '$1'."; return 1 ;;
    esac
    build_properties=(-p:DatabaseProvider=$provider "${properties[@]}")
}

# build PROJECT...: in Release; shows errors only. The compiler server saves each project the start of compiler and analyzers; its id
# keeps it apart from anybody else's, so that run can end it.
build() {
    local project id="platform-build-$$"
    for project in "$@"; do
        if ! run hide 1200 "$work/build.log" dotnet build "$project" --configuration Release --verbosity quiet --nologo "${build_properties[@]}" \
            -p:UseSharedCompilation=true -p:SharedCompilationId="$id"; then
            rm -f "${TMPDIR:-/tmp}/$id"
            grep -E '(error|warning) [A-Z]+[0-9]+:' "$work/build.log" | sed 's/ \[[^]]*\]$//' | sort -u >&2 || tail -n 30 "$work/build.log" >&2
            return 1
        fi
        # The compiler server's socket.
        rm -f "${TMPDIR:-/tmp}/$id"
    done
}

# start NAME COMMAND...: in the background, because the build takes longer and signals are answered at once; the output goes to
# $work/NAME.server. Adds to "starting".
start() {
    local name=$1
    shift
    (
        trap 'stopping=yes' INT TERM
        trap - EXIT
        umask 077
        "$@" >"$work/$name.server"
    ) &
    starting+=($!)
}

# install_unlocked NAME...: install_servers in the background, because it may take minutes. Without the lock: where the script is killed
# meanwhile, the next one can wait for it.
install_unlocked() {
    unlocked() {
        exec 9>&-
        "$@"
    }
    start install unlocked install_servers "$@"
    await_starts
}

# await_starts: false when one of them failed.
await_starts() {
    local pid
    for pid in "${starting[@]}"; do wait "$pid" || return 1; done
    starting=()
}

# server_value NAME KEY
server_value() { sed -n "s/^$2=//p" "$work/$1.server"; }
