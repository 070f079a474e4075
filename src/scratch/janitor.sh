# Waits until the owner of a scratch folder is done, then stops what runs there and removes it.
#
# Usage: sh -c "$(cat janitor.sh)" litelift-janitor FOLDER
#
# Standard input is a pipe whose other end only the owner holds. It delivers the ids of the
# processes that the owner starts, one a line, and it ends when the owner closes it or dies,
# however it dies.
#
# Every step is tried whatever became of the one before it, so there is no `set -e`.

# What ends the owner (Ctrl-C, a closed terminal, a service being stopped) must not end this too.
trap '' HUP INT QUIT TERM

folder=$1
case ${folder##*/} in
litelift-?*) ;;
*) exit 2 ;;
esac

pids=
while read -r pid; do
    pids="$pids $pid"
done

# Whether this process id belongs to a program of the folder. A number alone may by now be a
# stranger's, so the command line must name the folder. A zombie has none: it counts as gone.
runs_here() {
    case $1 in
    '' | *[!0-9]*) return 1 ;;
    esac
    if [ -d /proc/self ]; then
        arguments=$(tr '\0' ' ' <"/proc/$1/cmdline")
    else
        arguments=$(ps -ww -o args= -p "$1")
    fi
    case $arguments in
    *"$folder/"*) return 0 ;;
    *) return 1 ;;
    esac
}

# Prints the ids of the processes that still run. The server's own pid file serves the case in
# which the owner could not tell the id.
running() {
    for pid in $pids $(sed -n 1p "$folder/data/postmaster.pid"); do
        if runs_here "$pid"; then
            echo "$pid"
        fi
    done
}

# Sends signal $1, then waits for $2 looks, fifty a second, until nothing runs.
stop() {
    looks=$2
    targets=$(running)
    for pid in $targets; do
        kill -s "$1" "$pid"
    done
    while [ -n "$targets" ] && [ "$looks" -gt 0 ]; do
        sleep 0.02
        looks=$((looks - 1))
        targets=$(running)
    done
    [ -z "$targets" ]
}

# PostgreSQL: INT ends sessions and shuts down, QUIT aborts at once.
stop INT 500 || stop QUIT 250 || stop KILL 100

# Server processes on their way out may still write a file between two removals.
looks=50
while [ -e "$folder" ] && [ "$looks" -gt 0 ]; do
    rm -rf "$folder" || sleep 0.1
    looks=$((looks - 1))
done
