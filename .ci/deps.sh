#!/bin/sh
# deps.sh - sees to it that what the build needs is there; says nothing when it is.
#
#     deps.sh build          what `make demo` and `make test` need
#     deps.sh build check    and what `make check` needs besides
#     deps.sh build browser  and what `make check-browser` needs besides
#
# What is missing is installed with apt-get: as root, through sudo when it asks for no password, or after
# a yes on a terminal. Without apt-get it prints what to install and ends with status 1.
set -eu

# One line for each need: the list it is on, how it is looked for, its name, the least version, Debian's packages.
needs="
build command ${CC:-cc}     -     gcc
build header  stdio.h       -     libc6-dev
build command pkg-config    -     pkg-config
build library sqlite3       3.37  libsqlite3-dev
build library libutf8proc   2.2   libutf8proc-dev
build library libxxhash     0.8   libxxhash-dev
build library check         0.12  check
check command clang         -     clang
check command sqlite3       -     sqlite3
browser command chromium      -   chromium
browser command chromedriver  -   chromium-driver
browser command curl          -   curl
"

has_command() { command -v "$1" >/dev/null 2>&1; }

has_need() { # kind name version
    case $1 in
    command) has_command "$2" ;;
    # Without a compiler there is nobody to ask; its own line of the list reports that.
    header) has_command "${CC:-cc}" && echo "#include <$2>" | ${CC:-cc} -E -o /dev/null - 2>/dev/null ;;
    library) has_command pkg-config && pkg-config --exists "$2 >= $3" ;;
    esac
}

# Sets `packages`, Debian's names of what is missing, and `missing`, the same in words.
look() { # lists
    packages='' missing=''
    while read -r list kind name version package; do
        case " $* " in *" ${list:-none} "*) ;; *) continue ;; esac
        if ! has_need "$kind" "$name" "$version"; then
            packages="$packages $package"
            missing="$missing${missing:+, }$name"
            [ "$version" = - ] || missing="$missing >= $version"
        fi
    done <<END
$needs
END
}

run() { # command...
    echo "deps: $*" >&2
    "$@"
}

look "$@"
[ -n "$missing" ] || exit 0

if ! has_command apt-get; then
    echo "deps: missing: $missing" >&2
    echo "deps: please install them; Debian's packages are$packages" >&2
    exit 1
fi

install="env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends$packages"
update="apt-get update"
if [ "$(id -u)" -ne 0 ]; then
    install="sudo $install" update="sudo $update"
    if ! has_command sudo; then
        echo "deps: missing: $missing; as root: ${update#sudo } && ${install#sudo }" >&2
        exit 1
    fi
    if ! sudo -n true 2>/dev/null; then
        echo "deps: missing: $missing; to be run: $update && $install" >&2
        [ -t 0 ] || exit 1
        printf 'deps: run it now? [y/N] ' >&2
        read -r answer || answer=
        case $answer in [yY]*) ;; *) exit 1 ;; esac
    fi
fi

# Lists of packages that are absent or out of date: fetch them, then try again.
# shellcheck disable=SC2086 # the words of a command
if ! ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1; then
    run $update
    run $install
elif ! run $install; then
    run $update
    run $install
fi

look "$@"
if [ -n "$missing" ]; then
    echo "deps: still missing after the installation: $missing" >&2
    exit 1
fi
