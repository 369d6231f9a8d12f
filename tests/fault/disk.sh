#!/bin/sh
# disk.sh - disks that are full or read-only, and models that vanish while they are used.
#
#     tests/fault/disk.sh .build/release MODEL.db      the disks are small file systems in memory: root can mount
#                                                      them; from others it prints what it leaves out
set -u
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd -P) || exit 1
BIN=$(cd "$1" && pwd -P) || exit 1
MODEL=$(cd "$(dirname "$2")" && pwd -P)/$(basename "$2")
work=$(mktemp -d) || exit 1
mounted=
trap '[ -z "$mounted" ] || umount "$work/disk"; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1
failed=0 tried=0

complain() {
    failed=$((failed + 1))
    echo "disk.sh: $*" >&2
}

# Runs a command; it must end with the status, and say just that.
says() { # status, text, command...
    want=$1 text=$2
    shift 2
    tried=$((tried + 1))
    "$@" </dev/null >out 2>said
    status=$?
    [ $status -eq "$want" ] && [ "$(cat said)" = "$text" ] ||
        complain "$(basename "$1") $2 $3: status $status instead of $want, and '$(cat said)' instead of '$text'"
}

holds() { # files on the disk
    found=$(cd disk && echo *)
    [ "$found" = "$*" ] || complain "on the disk stands $found instead of $*"
}

# A model that is removed, or replaced by another, while it is used: the one that was opened goes on.
cp "$MODEL" m.db
mkfifo in
printf 'One.\nTwo.\nThree.\n' >lines
"$BIN/translate" -m m.db <lines >right
"$BIN/translate" -m m.db <in >out 2>said &
exec 3>in
for line in One. Two. Three.; do
    echo "$line" >&3
    i=0
    until [ "$(wc -l <out)" -ge "$(grep -n "^$line" lines | cut -d : -f 1)" ] || [ $i -ge 600 ]; do
        i=$((i + 1))
        sleep 0.1
    done
    case $line in
    One.) rm m.db ;;
    Two.) echo 'no model at all' >m.db ;;
    esac
done
exec 3>&-
wait $! || complain "a model that vanishes: $(cat said)"
cmp -s right out || complain "a model that vanishes changes what is translated"
tried=$((tried + 1))
rm -f m.db in

mkdir disk
if ! mount -t tmpfs -o size=4m none disk 2>said; then
    echo "disk.sh: $tried cases, $failed wrong; skipped: full and read-only disks, as nothing can be mounted here"
    [ $failed -eq 0 ]
    exit
fi
mounted=yes

# A run that finds no room, at any moment, goes on where there is some, to the weights it would have had.
head -20 "$here/../data/pairs.tsv" >train.tsv
settings="--train train.tsv --dev train.tsv --quiet"
begin="$settings --embedding 16 --hidden 16 --pieces 300 --steps 6 --warmup 2 --validate 3 --threads 1"
weights() {
    sqlite3 -batch -readonly "$1" "SELECT role, name, hex(value) FROM tensor ORDER BY role, name"
}
# shellcheck disable=SC2086 # lists of options
"$BIN/train" run.db $begin || complain "a run on a disk with room fails"
weights run.db >wanted
full=0
for kilobytes in 32 64 100 150 200 250 300 350 400 450 500 600 700 800 900 1000; do
    mount -o remount,size=${kilobytes}k disk
    tried=$((tried + 1))
    # shellcheck disable=SC2086
    if ! "$BIN/train" disk/run.db $begin 2>said; then
        full=$((full + 1))
        [ "$(cat said)" = "train: disk/run.db: not written: the disk is full" ] ||
            complain "a run in $kilobytes KB: $(cat said)"
        mount -o remount,size=4m disk
        # shellcheck disable=SC2086
        if [ ! -e disk/run.db ]; then
            holds '*'
        elif ! "$BIN/train" disk/run.db $settings --resume 2>said; then
            grep -q 'holds no checkpoint yet' said || complain "a run in $kilobytes KB cannot go on: $(cat said)"
            rm -f disk/run.db
        fi
    fi
    if [ -e disk/run.db ]; then
        weights disk/run.db >found
        cmp -s wanted found || complain "a run in $kilobytes KB has other weights in the end"
    fi
    rm -f disk/*
done
[ $full -ge 3 ] || complain "only $full of the runs found the disk full"

# An export, and a translation, that find no room leave what stood there.
mount -o remount,size=64k disk
echo old >disk/m.db
says 1 'train: disk/m.db: not written: the disk is full' "$BIN/train" run.db --export disk/m.db
holds m.db
[ "$(cat disk/m.db)" = old ] || complain "an export without room replaces what stood there"
rm disk/m.db
awk 'BEGIN { for (i = 0; i < 40000; i++) print "" }' >blank
head -c 60000 /dev/zero >disk/filler
echo old >disk/out
"$BIN/translate" -m "$MODEL" -i blank -o disk/out 2>said && complain "40,000 lines find room where there is none"
[ "$(sed 's|: /.*/disk/|: disk/|' said)" = 'translate: disk/out: No space left on device' ] ||
    complain "no room: $(cat said)"
holds filler out
[ "$(cat disk/out)" = old ] || complain "a translation without room replaces what stood there"
rm -f disk/*

# Read only: what only reads works, the rest says why.
mount -o remount,size=4m disk
cp run.db "$MODEL" disk
mv "disk/$(basename "$MODEL")" disk/model.db
echo old >disk/out
mount -o remount,ro disk
says 0 '' "$BIN/translate" -m disk/model.db 'The cat sat.'
says 0 '' "$BIN/translate" -m disk/run.db 'The cat sat.'
says 0 '' "$BIN/train" disk/run.db --export m.db
says 1 'translate: disk/out: Read-only file system' "$BIN/translate" -m "$MODEL" -o disk/out 'The cat sat.'
says 1 'translate: disk/new: Read-only file system' "$BIN/translate" -m "$MODEL" -o disk/new 'The cat sat.'
says 1 'train: disk/m.db: cannot be created: Read-only file system' "$BIN/train" run.db --export disk/m.db
# shellcheck disable=SC2086
says 1 'train: disk/new.db: cannot be created: Read-only file system' "$BIN/train" disk/new.db $begin
# shellcheck disable=SC2086
says 1 'train: disk/run.db: cannot be written: Read-only file system' "$BIN/train" disk/run.db $settings --resume

echo "disk.sh: $tried cases, $full runs on a full disk, $failed wrong"
[ $failed -eq 0 ]
