# Runs in a container that the commands of a user share, and ends some time after the last of them: what
# `sh -s SESSION SECONDS` reads, who asks that often. Everything that joins says so in a file before it does.
{
    session=$1
    trap '' HUP INT QUIT TERM PIPE USR1 USR2 ALRM XCPU TSTP TTIN TTOU
    cd "$session" || exit

    # When a process began, in clock ticks; numbers are used again.
    began() {
        IFS= read -r line <"/proc/$1/stat" || return
        set -- ${line##*) }
        time=${20}
    }

    # Whether somebody has come since we looked last.
    came() {
        set -- joining.$$.*
        [ -e "$1" ] && rm -f "$@"
    }

    # Whether somebody is here besides us.
    used() {
        for process in /proc/[0-9]*; do
            [ "$process/ns/mnt" -ef /proc/$$/ns/mnt ] && [ "$process" != /proc/$$ ] && return
        done
        return 1
    }

    # Removes what the killed have left.
    left_behind() {
        set --
        for path in joining.*; do
            came=${path#joining.}
            [ -d "/proc/${came%.*}" ] || [ ! -e "$path" ] || set -- "$@" "$path"
        done
        [ $# -eq 0 ] || rm -f "$@"
    }

    began $$
    own=$time
    began "$PPID"
    mounted=$time
    # Who finds half of it waits for those that start us: a program more would take longer than all of this.
    printf '%s\n' "$$ $own $PPID $mounted" >holder || exit
    echo ready
    exec >/dev/null 2>&1
    left_behind
    left=4
    while sleep "$2" && began "$PPID" && [ "$time" = "$mounted" ]; do
        if came || used; then
            left=4
            continue
        fi
        IFS= read -r line <holder || line=
        case $line in
        "$$ "*)
            left=$((left - 1))
            [ $left -gt 0 ] && continue
            rm -f holder
            # Who has read our name before may be on the way.
            came || used || break
            ;;
        *) break ;; # nobody comes to us any more
        esac
    done
    rm -f "joining.$$".* said
    cd /
    rmdir "$session"
    exit
}
