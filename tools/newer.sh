# Sourced by servers.sh: today's servers (MySQL 9.7, RabbitMQ 4.3, PostgreSQL 18), which Debian 12 does not have. They are in a root folder
# of their own, .data/newer, made once of Debian's unstable distribution. Every server enters it in a mount namespace of its own: what is
# mounted there nobody else sees, and it is gone when the server ends, however it ends.

# Run by bash with the root folder, the folder that the servers' folders are in, and the command as arguments. A killed PostgreSQL leaves its
# shared memory in /dev/shm, so that is private, too.
enter_newer='mount --rbind /proc "$0/proc" && mount --rbind /dev "$0/dev" && mount -t tmpfs tmpfs "$0/dev/shm" && (umask 022 && mkdir -p "$0$1") && mount --bind "$1" "$0$1" &&
exec chroot "$0" "${@:2}"'

# Run by bash, in a mount namespace too, with the root folder to make, the address of the packages and a file of apt's settings as arguments.
make_newer='set -e
umask 022
root=$0 mirror=$1 settings=$2
debootstrap --variant=minbase sid "$root" "$mirror"
cp "$settings" "$root/etc/apt/apt.conf.d/00machine"
# A mirror with a certificate of its own is known to the machine. The packages of the root folder bring their own file later.
mkdir -p "$root/etc/ssl/certs"
[ ! -s /etc/ssl/certs/ca-certificates.crt ] || cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
# No service starts by itself, no cluster is made that nobody uses, and a folder that can be made again needs no flush for every file.
printf "#!/bin/sh\nexit 101\n" >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
mkdir -p "$root/etc/postgresql-common"
echo "create_main_cluster = false" >"$root/etc/postgresql-common/createcluster.conf"
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
export DEBIAN_FRONTEND=noninteractive
chroot "$root" apt-get -q update
chroot "$root" apt-get -q install -y --no-install-recommends mysql-server rabbitmq-server postgresql-18
chroot "$root" apt-get clean'

# debian_mirror: prints the address that this machine has Debian from.
debian_mirror() {
    local mirror
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' 2>/dev/null | head -n 1)
    printf '%s\n' "${mirror:-http://deb.debian.org/debian/}"
}

# install_newer: makes the root folder where it is missing. A caller that is to stop sets "stopping" from its signal handler.
install_newer() {
    local folder=$repository/.data/newer making=$repository/.data/newer.making log=$repository/.data/newer.log pid status packages=() variables=()
    if ((EUID != 0)) || ! command -v apt-get >/dev/null || ! unshare --mount true 2>/dev/null; then
        complain "The newer servers need root on Debian, with the right to mount: they run in a root folder of their own (chroot)."
        return 1
    fi
    [[ ! -d $folder ]] || return 0
    mkdir -p "$repository/.data"
    # Two scripts may want it at once.
    exec 7>"$repository/.data/newer.lock"
    if ! flock -n 7; then
        complain "Another script makes the root folder of the newer servers: waiting for it."
        until flock -w 1 7; do [[ ! ${stopping:-} ]] || return 1; done
    fi
    if [[ ! -d $folder ]]; then
        # What an earlier run left when it was killed.
        end_process "$repository/.data/newer.pid"
        rm -rf --one-file-system "$making"
        command -v debootstrap >/dev/null || packages+=(debootstrap)
        [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] || packages+=(debian-archive-keyring)
        install_packages "${packages[@]}" || return 1
        complain "Making the root folder of the newer servers in .data/newer, once: one to five minutes, 1.3 GB."
        # How this machine reaches its mirror. Some mirrors are frozen, with the dates of their day.
        {
            apt-config dump --no-empty --format '%f "%v";%n' Acquire | grep -E '^Acquire::(http|https|Retries|ForceIPv[46])'
            printf 'Acquire::Check-Valid-Until "false";\n'
        } >"$making.settings"
        eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
        [[ ! ${http_proxy:-} ]] || variables+=("http_proxy=$http_proxy")
        [[ ! ${https_proxy:-} ]] || variables+=("https_proxy=$https_proxy")
        launch "$repository/.data/newer.pid" "$log" env "${variables[@]}" \
            unshare --mount bash -c "$make_newer" "$making" "$(debian_mirror)" "$making.settings" 7>&-
        pid=$!
        wait "$pid"
        status=$?
        end_process "$repository/.data/newer.pid"
        # The shell would report that it was killed.
        wait "$pid" 2>/dev/null
        rm -f "$making.settings"
        if ((status != 0)); then
            rm -rf --one-file-system "$making"
            [[ ${stopping:-} ]] || { complain "The root folder of the newer servers could not be made. The end of $log:"; tail -n 20 "$log" >&2; }
            return 1
        fi
        mv "$making" "$folder" || return 1
    fi
    exec 7>&-
}
