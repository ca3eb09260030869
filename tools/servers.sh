#!/usr/bin/env bash
# Private RabbitMQ, PostgreSQL, MariaDB and MySQL servers: on loopback, on ports of their own, each with all it has in one folder. Servers
# that the machine runs for others are never touched. run.sh and test.sh source this file; tests that restart a server call it:
#
#   tools/servers.sh start rabbitmq FOLDER [LINE OF rabbitmq.conf]...   prints the addresses, one name=value a line
#   tools/servers.sh start postgres FOLDER [SETTING=VALUE]...           the same
#   tools/servers.sh start mysql    FOLDER [SETTING=VALUE]...           the same; the server is MariaDB, or the newer MySQL
#   tools/servers.sh stop  rabbitmq|postgres|mysql FOLDER               gracefully, then firmly
#   tools/servers.sh kill  rabbitmq|postgres|mysql FOLDER               SIGKILL
#   tools/servers.sh eval  rabbitmq FOLDER EXPRESSION                   has the node evaluate an Erlang expression
#   tools/servers.sh copy  postgres FOLDER OTHER                        makes FOLDER a standby of the running server in OTHER; start follows
#
# A RabbitMQ folder inside one that has a file "cluster" is a node of a cluster: all of them share password, cookie and port mapper, which
# "kill rabbitmq" of the outer folder ends. A file "environment" in a database's folder has NAME=VALUE lines for the server's process. A server
# whose folder has tls/ca.pem, tls/server.pem and tls/server.key takes connections with TLS only (RabbitMQ's management stays as it is).
#
# PLATFORM_SERVERS says which: debian (what Debian has for this machine; the default), or newer (tools/newer.sh).
#
# A stopped or killed server keeps its data and, as long as nobody else took them, its ports. Another kind of server is three more
# functions (NAME_start, NAME_stop, NAME_kill) and its packages in install_servers.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
rabbitmq_bin=/usr/lib/rabbitmq/bin

complain() { printf '%s\n' "$*" >&2; }

# choose_servers NAME: debian or newer; sets "servers_root", the folder that the servers take for the root of all files: none is this
# machine's own. Tests that call this script inherit the choice.
choose_servers() {
    case $1 in
        debian) servers_root='' ;;
        newer) servers_root=$repository/.data/newer ;;
        *) complain "--servers (or PLATFORM_SERVERS) is debian or newer, not '$1'."; return 1 ;;
    esac
    export PLATFORM_SERVERS=$1
}
choose_servers "${PLATFORM_SERVERS:-debian}" || exit 2
. "$repository/tools/newer.sh"

# --- Processes -------------------------------------------------------------------------------------------------------------------
# A process is remembered as "pid starttime": a pid alone may belong to somebody else by the time it is signalled.

# Prints "pid ppid session starttime" of every process.
processes() {
    local file line fields
    for file in /proc/[0-9]*/stat; do
        { read -r line <"$file"; } 2>/dev/null || continue
        read -ra fields <<<"${line##*) }"
        [[ ${fields[0]} == Z ]] || printf '%s %s %s %s\n' "${line%% *}" "${fields[1]}" "${fields[3]}" "${fields[19]}"
    done
}

start_time() {
    local line fields
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
    read -ra fields <<<"${line##*) }"
    [[ ${fields[0]} != Z ]] && printf '%s\n' "${fields[19]}"
}

# is_alive PID STARTTIME
is_alive() { [[ $2 && $(start_time "$1") == "$2" ]]; }

# is_running PIDFILE
is_running() {
    local pid started
    [[ -s $1 ]] && read -r pid started <"$1" && is_alive "$pid" "$started"
}

# launch PIDFILE LOG COMMAND...: starts the command in a session of its own, so that a Ctrl-C at the terminal reaches only the script,
# which then stops everything in order. File descriptor 9 is the scripts' lock and must not outlive them.
launch() {
    local pid_file=$1 log=$2 pid
    shift 2
    setsid env --default-signal=INT,QUIT "$@" </dev/null >"$log" 2>&1 9>&- &
    pid=$!
    printf '%s %s\n' "$pid" "$(start_time "$pid")" >"$pid_file"
}

# family PID STARTTIME: prints "pid starttime" of a launched process and of all that came from it: its session, and its descendants in
# sessions of their own.
family() {
    local leader=$1 started=$2 pid parent session birth list grew=yes
    local -A member=()
    list=$(processes)
    while [[ $grew ]]; do
        grew=
        while read -r pid parent session birth; do
            if [[ ! ${member[$pid]:-} ]] && [[ $pid/$birth == "$leader/$started" || $session/$pid == "$leader/"* || ${member[$parent]:-} ]]; then
                # A leader with another start time is somebody else's session, on a number that was given out again.
                [[ $pid != "$leader" || $birth == "$started" ]] || return 0
                member[$pid]=$birth
                grew=yes
            fi
        done <<<"$list"
    done
    for pid in "${!member[@]}"; do printf '%s %s\n' "$pid" "${member[$pid]}"; done
}

# environment_of FOLDER: sets "environment", the words that put the NAME=VALUE lines of the folder's file into a server's environment.
environment_of() {
    environment=(env)
    [[ ! -s $1/environment ]] || mapfile -t -O 1 environment <"$1/environment"
}

# signal_members SIGNAL LIST: true when somebody of the list ("pid starttime" lines) lives. Signal 0 only looks.
signal_members() {
    local pid birth found=1
    while read -r pid birth; do
        [[ $pid ]] && is_alive "$pid" "$birth" && kill -s "$1" "$pid" 2>/dev/null && found=0
    done <<<"$2"
    return "$found"
}

# end_process PIDFILE [SIGNAL SECONDS]...: sends the first signal to the launched process and gives it and all that came from it so
# long to end, then the next signal; what is left after the last gets SIGKILL.
end_process() {
    local pid_file=$1 leader started members deadline
    shift
    [[ -s $pid_file ]] && read -r leader started <"$pid_file" || return 0
    members=$(family "$leader" "$started")
    while (($#)) && signal_members 0 "$members"; do
        signal_members "$1" "$leader $started"
        deadline=$((SECONDS + $2))
        shift 2
        while signal_members 0 "$members" && ((SECONDS <= deadline)); do sleep 0.1; done
    done
    # A stopped leader starts nobody between the look and the kill; the others may, so the look is repeated.
    signal_members STOP "$leader $started"
    for _ in {1..20}; do
        members+=$'\n'$(family "$leader" "$started")
        signal_members KILL "$members" || break
        sleep 0.05
    done
    rm -f "$pid_file"
}

# --- Folders, ports, passwords, waiting ------------------------------------------------------------------------------------------

# servers_folder: makes and prints the folder that holds the folders of all servers of this checkout. Servers run as users of their own
# when we are root, and those cannot enter a checkout under /root: then the folder lies elsewhere and .data/servers is a link to it.
servers_folder() {
    local folder=$repository/.data/servers elsewhere
    mkdir -p -m 711 "$repository/.data"
    if [[ ! -d $folder ]]; then
        # The link's target may have been cleaned away together with the temporary folder that it is in.
        rm -f "$folder"
        if ((EUID != 0)) || can_anybody_enter "$repository/.data"; then
            mkdir -m 711 "$folder"
        else
            elsewhere=${TMPDIR:-/tmp}/platform-$(printf %s "$repository" | sha256sum | cut -c1-12)
            [[ -d $elsewhere ]] || mkdir -m 711 "$elsewhere"
            if [[ -L $elsewhere || ! -O $elsewhere ]] || ! can_anybody_enter "$elsewhere"; then
                complain "Servers run as users of their own, who cannot enter $repository; $elsewhere cannot be used instead: set TMPDIR to another folder that every user can enter."
                return 1
            fi
            complain "The servers' users cannot enter $repository: their data is in $elsewhere."
            ln -s "$elsewhere" "$folder"
        fi
    fi
    realpath "$folder"
}

# can_anybody_enter FOLDER: asked as root.
can_anybody_enter() { env -C / setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$1"; }

is_port_free() { ! grep -qsE "^ *[0-9]+: [0-9A-F]+:$(printf %04X "$1") [0-9A-F]+:0000 0A" /proc/net/tcp /proc/net/tcp6; }

are_ports_free() {
    local port
    for ((port = $1; port < $1 + $2; port++)); do is_port_free "$port" || return 1; done
}

# find_ports FOLDER COUNT: prints the first of COUNT neighbouring free ports: those of the last start, else the next free ones from
# SERVER_PORT on, else some below the range that the kernel gives to outgoing connections.
find_ports() {
    local folder=$1 count=$2 port=${SERVER_PORT:-$((22000 + SRANDOM % 10000))}
    [[ -s $folder/port ]] && port=$(<"$folder/port")
    until are_ports_free "$port" "$count"; do
        port=$((port + 10))
        ((port < 32700)) || port=22000
    done
    printf '%s\n' "$port" | tee "$folder/port"
}

# password FOLDER [USER]: prints the password of the server's administrator or of another user, made at the first call; it needs no quoting
# anywhere. Every user of the machine can reach loopback.
password() {
    local file=$1/${2:+$2.}password
    [[ -s $file ]] || (umask 077 && head -c 18 /dev/urandom | base64 | tr '+/' '-_' >"$file")
    cat "$file"
}

# http_status HOST PORT PATH [USER:PASSWORD [JSON]]: prints the status code of a GET, or of a PUT with this body; in bash, so that nothing needs
# to be installed for it, and no password is among the arguments of a process.
http_status() {
    local headers='' status='' method=GET
    [[ ${4:-} ]] && headers="Authorization: Basic $(printf %s "$4" | base64 -w0)"$'\r\n'
    [[ ${5:-} ]] && method=PUT headers+="Content-Type: application/json"$'\r\n'"Content-Length: ${#5}"$'\r\n'
    {
        if exec 8<>"/dev/tcp/$1/$2"; then
            printf '%s %s HTTP/1.0\r\nHost: %s\r\n%s\r\n%s' "$method" "$3" "$1" "$headers" "${5:-}" >&8 && read -t 5 -r _ status _ <&8
            exec 8>&-
        fi
    } 2>/dev/null
    printf '%s\n' "${status:-000}"
}

# await SECONDS PIDFILE LOG NAME COMMAND...: until the command succeeds; says why when it never did. A caller that is to stop sets
# "stopping" from its signal handler.
await() {
    local seconds=$1 pid_file=$2 log=$3 name=$4 deadline=$((SECONDS + $1)) reason=
    shift 4
    until "$@"; do
        if [[ ${stopping:-} ]]; then
            return 1
        elif ! is_running "$pid_file"; then
            reason="$name ended while it started."
        elif ((SECONDS > deadline)); then
            reason="$name was not ready within $seconds s."
        fi
        if [[ $reason ]]; then
            complain "$reason The end of $log:"
            tail -n 20 "$log" >&2
            return 1
        fi
        sleep 0.1
    done
}

# enter USER FOLDER: sets "enter", the words to put before a command so that it runs in the folder / of the servers' root, as that user
# when we are root. FOLDER is the server's own; it has the same name there.
enter() {
    enter=(env -C /)
    if ((EUID == 0)); then
        enter+=(setpriv --reuid="$1" --regid="$1" --init-groups)
        [[ ! $servers_root ]] || enter=(unshare --mount bash -c "$enter_newer" "$servers_root" "$(dirname "$2")" "${enter[@]}")
    fi
}

# has_tls FOLDER: whether the server of the folder takes TLS only.
has_tls() { [[ -s $1/tls/server.pem ]]; }

# own USER FILE...: gives files and folders to a server's user, whose number is the servers' root's, when we are root.
own() {
    local user=$1 ids
    ((EUID == 0)) || return 0
    ids=$(sed -n "s/^$user:[^:]*:\\([0-9]*:[0-9]*\\):.*/\\1/p" "$servers_root/etc/passwd")
    shift
    [[ $ids ]] || { complain "There is no user $user."; return 1; }
    chown -R "$ids" "$@"
}

# --- PostgreSQL ------------------------------------------------------------------------------------------------------------------

# postgres_bin [MAJOR]: prints the programs' folder of that version, or of the newest installed.
postgres_bin() {
    local bin
    for bin in $(printf '%s\n' "$servers_root"/usr/lib/postgresql/${1:-*}/bin | sort -rV) "$(dirname "$(command -v postgres)")"; do
        if [[ -x $bin/initdb && -x $bin/postgres ]]; then
            printf '%s\n' "${bin#"$servers_root"}"
            return
        fi
    done
    return 1
}

postgres_start() {
    local folder=$1 bin version log port secret setting owner enter environment settings=()
    shift
    postgres_stop "$folder"
    mkdir -p "$folder" && folder=$(realpath "$folder") && chmod 700 "$folder" && own postgres "$folder" || return 1
    enter postgres "$folder"
    if ! "${enter[@]}" test -w "$folder"; then
        complain "PostgreSQL refuses to run as root, and user postgres cannot enter $folder."
        return 1
    fi
    # "version" is written when initdb was through: a data folder that a crash left half made is made again.
    [[ -s $folder/version ]] && version=$(<"$folder/version")
    if ! bin=$(postgres_bin "${version:-}"); then
        complain "PostgreSQL ${version:-} is not installed.${version:+ $folder was written by it: install it, or remove the folder with its data.}"
        return 1
    fi
    secret=$(password "$folder")
    if [[ ! ${version:-} ]]; then
        rm -rf "$folder/data"
        own postgres "$folder/password"
        if ! "${enter[@]}" "$bin/initdb" --pgdata="$folder/data" --username=postgres --pwfile="$folder/password" --auth=scram-sha-256 \
            --encoding=UTF8 --locale=C.UTF-8 </dev/null >"$folder/initdb.log" 2>&1; then
            complain "PostgreSQL's initdb failed. The end of $folder/initdb.log:"
            tail -n 20 "$folder/initdb.log" >&2
            return 1
        fi
        cp "$folder/data/PG_VERSION" "$folder/version"
    fi
    # Where nobody collects ended processes (a container without an init), the number of a killed server stays in use, and PostgreSQL
    # would take the file that it left behind for a running server's.
    if [[ -s $folder/data/postmaster.pid ]] && read -r owner <"$folder/data/postmaster.pid" && ! start_time "$owner" >/dev/null; then
        rm -f "$folder/data/postmaster.pid"
    fi
    environment_of "$folder"
    if has_tls "$folder"; then
        printf 'hostssl all all 127.0.0.1/32 scram-sha-256\n' >"$folder/tls/pg_hba.conf"
        own postgres "$folder/tls"
        settings+=(-c ssl=on -c "ssl_cert_file=$folder/tls/server.pem" -c "ssl_key_file=$folder/tls/server.key" -c "hba_file=$folder/tls/pg_hba.conf")
    fi
    for setting in listen_addresses=127.0.0.1 unix_socket_directories= max_connections=200 timezone=UTC log_timezone=UTC "$@"; do
        settings+=(-c "$setting")
    done
    log=$folder/postgres.log
    for _ in 1 2 3; do
        port=$(find_ports "$folder" 1)
        launch "$folder/pid" "$log" "${enter[@]}" "${environment[@]}" "$bin/postgres" -D "$folder/data" "${settings[@]}" -c "port=$port"
        if await 60 "$folder/pid" "$log" PostgreSQL "${enter[@]}" "$bin/pg_isready" -q -h 127.0.0.1 -p "$port" -U postgres -d postgres; then
            printf '%s=%s\n' host 127.0.0.1 port "$port" \
                admin "Host=127.0.0.1;Port=$port;Username=postgres;Password=$secret;Database=postgres"
            return
        fi
        postgres_stop "$folder"
        # Another one took the port between the look and the start.
        grep -q 'Address already in use' "$log" || break
    done
    return 1
}

# postgres_sql FOLDER PORT ARGUMENT...: psql as the superuser, with the statements of its input.
postgres_sql() {
    local folder=$1 port=$2 enter
    shift 2
    enter postgres "$folder"
    PGPASSWORD=$(password "$folder") "${enter[@]}" "$(postgres_bin)/psql" -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$port" -U postgres -d postgres "$@"
}

# postgres_copy FOLDER OTHER: a copy that follows the other server as soon as it is started.
postgres_copy() {
    local folder=$1 other=$2 enter bin
    mkdir -p "$folder" && folder=$(realpath "$folder") && chmod 700 "$folder" && own postgres "$folder" || return 1
    bin=$(postgres_bin "$(<"$other/version")") || return 1
    enter postgres "$folder"
    # The file that tells the copy whom to follow contains the password.
    if ! PGPASSWORD=$(password "$other") "${enter[@]}" "$bin/pg_basebackup" --pgdata="$folder/data" --host=127.0.0.1 --port="$(<"$other/port")" \
        --username=postgres --checkpoint=fast --wal-method=stream --write-recovery-conf </dev/null >"$folder/copy.log" 2>&1; then
        complain "PostgreSQL's pg_basebackup failed. The end of $folder/copy.log:"
        tail -n 20 "$folder/copy.log" >&2
        return 1
    fi
    cp "$other/password" "$other/version" "$folder"
}

postgres_stop() { end_process "$1/pid" INT 15 QUIT 5; }
postgres_kill() { end_process "$1/pid"; }

# --- MariaDB and MySQL -----------------------------------------------------------------------------------------------------------

mysql_start() {
    local folder=$1 name=MariaDB server=/usr/sbin/mariadbd log port secret setting enter environment make settings=()
    shift
    [[ ! $servers_root ]] || name=MySQL server=/usr/sbin/mysqld
    mysql_stop "$folder"
    mkdir -p "$folder" && folder=$(realpath "$folder") && chmod 700 "$folder" || return 1
    if [[ ! -x $servers_root$server ]]; then
        complain "$name is not installed."
        return 1
    fi
    own mysql "$folder" || return 1
    enter mysql "$folder"
    if ! "${enter[@]}" test -w "$folder"; then
        complain "$name refuses to run as root, and user mysql cannot enter $folder."
        return 1
    fi
    secret=$(password "$folder")
    # "installed" is written when the data folder was made: one that a crash left half made is made again.
    if [[ ! -e $folder/installed ]]; then
        rm -rf "$folder/data"
        # MySQL gives its superuser a password that nobody reads.
        make=("$server" --no-defaults --initialize)
        [[ $name == MySQL ]] || make=(mariadb-install-db --no-defaults --auth-root-authentication-method=socket --auth-root-socket-user=mysql --skip-test-db)
        if ! "${enter[@]}" "${make[@]}" --datadir="$folder/data" </dev/null >"$folder/install.log" 2>&1; then
            complain "The data folder of $name could not be made. The end of $folder/install.log:"
            tail -n 20 "$folder/install.log" >&2
            return 1
        fi
        touch "$folder/installed"
    fi
    (umask 077 && printf '%s;\n' "CREATE USER IF NOT EXISTS admin@'127.0.0.1' IDENTIFIED BY '$secret'" \
        "GRANT ALL ON *.* TO admin@'127.0.0.1' WITH GRANT OPTION" >"$folder/init.sql")
    own mysql "$folder/init.sql"
    # What one of the two has by default, both get: UTF-8 of four bytes, names of clients that can be seen, the bulk copy. The socket's name
    # is short wherever the folder is, because the server looks for it in its data folder.
    for setting in bind_address=127.0.0.1 socket=mysql.sock pid_file=mysql.pid max_connections=200 character_set_server=utf8mb4 \
        performance_schema=ON skip_name_resolve=ON default_time_zone=+00:00 local_infile=ON "$@"; do
        settings+=("--$setting")
    done
    # As with PostgreSQL: the number of a killed server can stay in use. Nobody uses the folder now.
    rm -f "$folder/data/mysql.sock.lock"
    # Its other protocol has a port of its own.
    [[ $name == MariaDB ]] || settings+=(--mysqlx=OFF)
    if has_tls "$folder"; then
        settings+=(--require_secure_transport=ON "--ssl_ca=$folder/tls/ca.pem" "--ssl_cert=$folder/tls/server.pem" "--ssl_key=$folder/tls/server.key")
    fi
    log=$folder/mysql.log
    environment_of "$folder"
    for _ in 1 2 3; do
        port=$(find_ports "$folder" 1)
        launch "$folder/pid" "$log" "${enter[@]}" "${environment[@]}" "$server" --no-defaults --datadir="$folder/data" --init-file="$folder/init.sql" \
            "${settings[@]}" --port="$port"
        if await 60 "$folder/pid" "$log" "$name" mysql_answers "$folder" "$port"; then
            # MySQL makes itself a certificate, and the driver encrypts where the server can: it needs no key of it for the password then.
            printf '%s=%s\n' host 127.0.0.1 port "$port" admin "Server=127.0.0.1;Port=$port;User ID=admin;Password=$secret"
            return
        fi
        mysql_stop "$folder"
        # Another one took the port between the look and the start.
        grep -q 'Address already in use' "$log" || break
    done
    return 1
}

# mysql_sql FOLDER PORT ARGUMENT...: the client as the administrator, whom the server makes at its start, with the statements of its input.
mysql_sql() {
    local folder=$1 port=$2 client=(mariadb --no-defaults) enter
    shift 2
    # Of itself MariaDB's client does not try TLS, and MySQL's does.
    ! has_tls "$folder" || client+=(--ssl)
    [[ ! $servers_root ]] || client=(mysql --no-defaults)
    enter mysql "$folder"
    MYSQL_PWD=$(password "$folder") "${enter[@]}" "${client[@]}" --protocol=tcp -h 127.0.0.1 -P "$port" -u admin "$@"
}

mysql_answers() { mysql_sql "$1" "$2" -e 'SELECT 1' >/dev/null 2>&1; }

mysql_stop() { end_process "$1/pid" TERM 20; }
mysql_kill() { end_process "$1/pid"; }

# --- RabbitMQ --------------------------------------------------------------------------------------------------------------------

rabbitmq_start() {
    local folder=$1 node port secret log enter shared mapper place scheme=amqp
    shift
    rabbitmq_stop "$folder"
    mkdir -p "$folder/home" "$folder/conf.d" && folder=$(realpath "$folder") && chmod 700 "$folder" || return 1
    shared=$(rabbitmq_shared "$folder")
    if [[ ! -x $servers_root$rabbitmq_bin/rabbitmq-server ]]; then
        complain "RabbitMQ is not installed."
        return 1
    fi
    # The data belongs to the node's name, so the name stays when the folder is moved.
    [[ -s $folder/node ]] || printf 'platform-%08x@localhost\n' "$SRANDOM" >"$folder/node"
    node=$(<"$folder/node")
    secret=$(password "$shared")
    ! has_tls "$folder" || scheme=amqps
    if [[ $shared != "$folder" && ! -s $folder/home/.erlang.cookie ]]; then
        (umask 377 && password "$shared" cookie >"$folder/home/.erlang.cookie")
    fi
    printf '[rabbitmq_management].\n' >"$folder/enabled_plugins"
    : >"$folder/rabbitmq-env.conf"
    # Its user may not be able to enter the repository.
    cp "$repository/deploy/rabbitmq.conf" "$folder/rabbitmq.conf"
    enter rabbitmq "$folder"
    log=$folder/rabbitmq.log
    for _ in 1 2 3; do
        port=$(find_ports "$folder" 4)
        place=(listeners.tcp.default "127.0.0.1:$port")
        if has_tls "$folder"; then
            place=(listeners.ssl.default "127.0.0.1:$port" listeners.tcp none ssl_options.cacertfile "$folder/tls/ca.pem"
                ssl_options.certfile "$folder/tls/server.pem" ssl_options.keyfile "$folder/tls/server.key" ssl_options.verify verify_none)
        fi
        printf '%s = %s\n' "${place[@]}" management.tcp.ip 127.0.0.1 management.tcp.port "$((port + 1))" \
            default_user platform default_pass "$secret" >"$folder/conf.d/50-place.conf"
        printf '%s\n' "$@" >"$folder/conf.d/60-settings.conf"
        # A node finds others through the port mapper epmd. One of our own, because the one that a node starts by itself stays for good.
        own rabbitmq "$folder" || break
        mapper=$((port + 3))
        [[ $shared == "$folder" ]] || mapper=$(find_mapper "$shared")
        if ! is_running "$shared/epmd.pid"; then
            launch "$shared/epmd.pid" "$shared/epmd.log" "${enter[@]}" epmd -port "$mapper" -address 127.0.0.1
            await 10 "$shared/epmd.pid" "$shared/epmd.log" epmd rabbitmq_listens "$mapper" || break
        fi
        # Told that systemd runs it, the server's script becomes the server, instead of standing between it and our signals. An empty
        # environment keeps out what belongs to a RabbitMQ of the machine.
        launch "$folder/pid" "$log" "${enter[@]}" env -i -C "$folder" PATH="$PATH" HOME="$folder/home" LANG=C.UTF-8 RUNNING_UNDER_SYSTEMD=true \
            RABBITMQ_NODENAME="$node" RABBITMQ_DIST_PORT="$((port + 2))" ERL_EPMD_PORT="$mapper" ERL_EPMD_ADDRESS=127.0.0.1 \
            RABBITMQ_MNESIA_BASE="$folder/mnesia" RABBITMQ_LOG_BASE="$folder/log" RABBITMQ_ENABLED_PLUGINS_FILE="$folder/enabled_plugins" \
            RABBITMQ_CONF_ENV_FILE="$folder/rabbitmq-env.conf" RABBITMQ_CONFIG_FILE="$folder/rabbitmq.conf" \
            RABBITMQ_CONFIG_FILES="$folder/conf.d" RABBITMQ_ADVANCED_CONFIG_FILE="$folder/advanced.config" \
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}' \
            "$rabbitmq_bin/rabbitmq-server"
        if await 120 "$folder/pid" "$log" RabbitMQ rabbitmq_answers "$port" "platform:$secret"; then
            printf '%s=%s\n' uri "$scheme://platform:$secret@127.0.0.1:$port/" management "http://platform:$secret@127.0.0.1:$((port + 1))/"
            return
        fi
        rabbitmq_stop "$folder"
        # Another one took a port between the look and the start.
        grep -qE 'eaddrinuse|already in use' "$log" "$shared/epmd.log" || break
    done
    rabbitmq_stop "$folder"
    return 1
}

# rabbitmq_shared FOLDER: prints the folder of what a node shares with others of its cluster; its own where it is alone.
rabbitmq_shared() {
    local outer
    outer=$(dirname "$1")
    if [[ -e $outer/cluster ]]; then printf '%s\n' "$outer"; else printf '%s\n' "$1"; fi
}

# find_mapper FOLDER: prints the port of a cluster's port mapper, which stays while it runs.
find_mapper() { if is_running "$1/epmd.pid"; then cat "$1/port"; else find_ports "$1" 1; fi; }

rabbitmq_listens() { ! is_port_free "$1"; }

# The AMQP listener opens last.
rabbitmq_answers() { rabbitmq_listens "$1" && [[ $(http_status 127.0.0.1 "$(($1 + 1))" /api/vhosts "$2") == 200 ]]; }

# rabbitmq_eval FOLDER EXPRESSION: has the running node evaluate an Erlang expression.
rabbitmq_eval() {
    local folder enter port shared
    folder=$(realpath "$1")
    shared=$(rabbitmq_shared "$folder")
    port=$(sed -n 's/^listeners.[a-z]*.default = 127.0.0.1:\([0-9]*\)$/\1/p' "$folder/conf.d/50-place.conf")
    port=$((port + 3))
    [[ $shared == "$folder" ]] || port=$(<"$shared/port")
    enter rabbitmq "$folder"
    timeout 60 "${enter[@]}" env -i -C "$folder" PATH="$PATH" HOME="$folder/home" LANG=C.UTF-8 ERL_EPMD_PORT="$port" ERL_EPMD_ADDRESS=127.0.0.1 \
        RABBITMQ_CONF_ENV_FILE="$folder/rabbitmq-env.conf" "$rabbitmq_bin/rabbitmqctl" --silent --node "$(<"$folder/node")" eval "$2" >/dev/null
}

rabbitmq_stop() { end_process "$1/pid" TERM 30 && end_process "$1/epmd.pid" TERM 2; }
rabbitmq_kill() { end_process "$1/pid" && end_process "$1/epmd.pid"; }

# --- All of them -----------------------------------------------------------------------------------------------------------------

# kill_servers FOLDER: SIGKILL for everything that was launched with its pid file below the folder.
kill_servers() {
    local pid_file folder
    [[ -d $1 ]] || return 0
    while read -r pid_file; do end_process "$pid_file"; done < <(find "$1" \( -name pid -o -name '*.pid' \) -not -path '*/data/*' -not -path '*/mnesia/*')
    # Small disks that tests made.
    while read -r _ folder _; do [[ $folder != "$(realpath "$1")"/* ]] || umount "$folder"; done </proc/mounts
}

# install_servers NAME...: installs what is missing for these servers, with apt as root; otherwise says what to install and fails.
install_servers() {
    local name packages=()
    if [[ $servers_root ]]; then
        install_newer
        return
    fi
    for name in "$@"; do
        case $name in
            rabbitmq) [[ -x $rabbitmq_bin/rabbitmq-server ]] || packages+=(rabbitmq-server) ;;
            postgres) postgres_bin >/dev/null || packages+=(postgresql) ;;
            mysql) [[ -x /usr/sbin/mariadbd ]] || packages+=(mariadb-server) ;;
            # What looks at the dashboard in tests, with letters to show.
            chromium) [[ -x /usr/bin/chromium ]] || packages+=(chromium fonts-dejavu-core) ;;
            # What one test does to the clock of a server; without it, and without the right to install it, that test is skipped.
            clock) compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || ((EUID != 0)) || packages+=(libfaketime) ;;
        esac
    done
    install_packages "${packages[@]}"
}

# install_packages NAME...: Debian packages.
install_packages() {
    local log=$repository/.data/install.log
    (($#)) || return 0
    if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
        complain "Not installed: $*. On Debian:" "  sudo apt-get update && sudo apt-get install --no-install-recommends $*"
        return 1
    fi
    complain "Installing $*."
    mkdir -p "$repository/.data"
    # In a subshell, so that the trap is this step's own.
    if ! (
        policy=/usr/sbin/policy-rc.d
        # Debian starts a service that it installs, on the ports that everybody expects; policy-rc.d forbids it meanwhile.
        if [[ ! -e $policy ]]; then
            trap 'rm -f "$policy"' EXIT
            trap 'exit 130' INT TERM
            printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
        elif "$policy" x start >/dev/null 2>&1; [[ $? != 101 ]]; then
            complain "$policy lets services start, so $* would come up on the machine's ports: install them yourself."
            exit 1
        fi
        export DEBIAN_FRONTEND=noninteractive
        umask 022
        apt-get -qq -o DPkg::Lock::Timeout=300 update && apt-get -qq -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
    ) </dev/null >"$log" 2>&1 9>&-; then
        complain "$* could not be installed. The end of $log:"
        tail -n 20 "$log" >&2
        return 1
    fi
    # policy-rc.d keeps them down today, not after the next boot.
    [[ ! -d /run/systemd/system ]] || complain "Debian will start its own services of $* at the next boot; 'systemctl disable' them if nobody wants them."
}

require_dotnet() {
    local version
    if ! version=$(cd "$repository" && dotnet --version 2>/dev/null); then
        complain "The .NET 10 SDK is needed (global.json says which) and was not found: https://dotnet.microsoft.com/download/dotnet/10.0"
        return 1
    fi
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    if [[ $# -lt 3 || ! $1 =~ ^(start|stop|kill|eval|copy)$ || ! $2 =~ ^(rabbitmq|postgres|mysql)$ ]]; then
        sed -n '/^#   /s/^#   //p' "$0" >&2
        exit 2
    fi
    set -uo pipefail
    command=$2_$1
    shift 2
    stopping=
    trap 'stopping=yes' INT TERM
    "$command" "$@"
fi
