#!/bin/bash
#
# Prepares the data directory of one bootstrap run. The node starts only if this ends with 0.
#
# It runs as the init container, in avalanchego's own image: bash and coreutils are all there is.
# Each run has the directory /data/runs/<run id>; a run id begins with its UTC time, so ids sort by
# time. A directory is complete, and may be resumed, if and only if the marker lies in it.
#
#   no run id yet                      wait
#   a directory with a greater id      wait: a newer run owns this volume
#   own directory complete             same binary: remove the older ones, resume
#                                      another binary: say `foreign`, exit 3, change nothing
#   own directory absent, no marker    remove the older ones, start fresh, marker last
#
# Everything is looked at before anything is changed, so a fault found never follows a removal.
# It may be killed between any two commands: a directory loses its marker before anything else in
# it, and gets it when all else is done, so what is half removed or half made is never resumed.
#
# Exit codes: 0 ready, 1 fault of the volume, 2 fault of the manifest, 3 foreign data, 143 told to
# stop. The last line in the termination message is for the controller.

set -euo pipefail
shopt -s nullglob dotglob
export LC_ALL=C TZ=UTC0 # ids compare as bytes; times in the log and the marker are UTC

readonly RUN_ID=${RUN_ID:-}
readonly BINARY=${AVAGO_BINARY:-/avalanchego/build/avalanchego}
readonly ROOT=${DATA_ROOT:-/data}
readonly TERMINATION_LOG=${TERMINATION_LOG:-/dev/termination-log}
readonly MOUNTS=${MOUNTINFO:-/proc/self/mountinfo}

readonly RUNS=$ROOT/runs
readonly OWN=$RUNS/$RUN_ID
readonly MARKER_NAME=.bootstrap-run.json # no name that avalanchego uses in its data directory [98]
readonly MARKER=$OWN/$MARKER_NAME
readonly SCHEMA=1
readonly RUN_ID_SHAPE='^[0-9]{8}t[0-9]{6}z-[0-9a-f]{8}$'
readonly REMIND_SECONDS=60  # how often a wait says again what it waits for
readonly VERSION_SECONDS=10 # --version-json prints and ends; a build that hangs here is not held up
readonly NAMES_SHOWN=20     # of strange files on the volume, so that the log stays readable
readonly REMEDY="To begin anew, ask for a retest (annotation bootstrap.avax.network/\
retest-requested-at), which starts a run of another id"

# What comes from outside may hold anything; a log line stays one line.
say() { printf '%(%FT%TZ)T %s\n' -1 "${*//[^[:print:]]/?}"; }

# A fault: what is wrong and what to do, for the log and for whoever reads the pod's status.
# Arguments: exit code, sentence.
fail() {
    say "$2"
    local run=${RUN_ID:0:80} text=${2//\\/\\\\}
    text=${text//\"/\\\"}
    printf '{"run":"%s","error":"%s"}\n' "${run//[^0-9a-z-]/?}" "${text//[^[:print:]]/?}" \
        2>/dev/null >"$TERMINATION_LOG" || say "the termination message could not be written"
    exit "$1"
}

# As PID 1 bash answers a signal only here, and only between commands or in `wait`: whatever may
# take long runs in the background. SIGKILL, because a child that has not begun yet loses others.
stop() {
    local children
    children=$(jobs -p)
    # shellcheck disable=SC2086 # one word for each process id
    [[ -z $children ]] || kill -KILL $children 2>/dev/null || true
    say "told to stop; the node is not started"
    exit 143
}
trap stop TERM INT HUP

patiently() {
    "$@" &
    wait "$!"
}

wait_because() {
    say "waiting: $1"
    patiently sleep "$REMIND_SECONDS" || fail 1 "cannot sleep; is this avalanchego's image?"
}

# --- Looking: changes nothing -------------------------------------------------------------------

look_at_mounts() {
    local fields path
    [[ -r $MOUNTS ]] || fail 1 "cannot read $MOUNTS to see what is mounted below $RUNS"
    while read -r -a fields; do
        printf -v path '%b' "${fields[4]:-}" # the kernel writes blanks as \040
        [[ $path != "$RUNS" && $path != "$RUNS"/* ]] ||
            fail 1 "$path is a mount point where a directory should be; unmount it, \
or mount the volume at $ROOT"
    done <"$MOUNTS"
}

look_at_directory() {
    [[ ! -L $1 ]] || fail 1 "$1 is a symlink where a directory should be; remove the symlink"
    [[ -d $1 ]] || fail 1 "$1 is not a directory; move it away from the volume"
    [[ -r $1 && -w $1 && -x $1 ]] ||
        fail 1 "$1 is not writable: the volume is read-only, or user $EUID may not write there; \
mount it read-write, and set fsGroup in the pod's security context"
}

# Sets newest (greatest id above ours, or empty), older (array), own (0 or 1).
look_at_runs() {
    local entry name
    local -a strange=()
    newest='' older=() own=0
    look_at_directory "$ROOT"
    look_at_mounts
    for entry in "$ROOT"/*; do
        [[ $entry == "$RUNS" ]] || strange+=("$entry")
    done
    if [[ -e $RUNS || -L $RUNS ]]; then
        look_at_directory "$RUNS"
        for entry in "$RUNS"/*; do
            name=${entry##*/}
            if [[ ! $name =~ $RUN_ID_SHAPE ]]; then
                strange+=("$entry")
                continue
            fi
            look_at_directory "$entry"
            if [[ $name == "$RUN_ID" ]]; then
                own=1
            elif [[ $name > $RUN_ID ]]; then
                [[ $newest > $name ]] || newest=$name
            else
                older+=("$entry")
            fi
        done
    fi
    name_strangers "${strange[@]}"
}

name_strangers() {
    (($# > 0)) || return 0
    local names
    printf -v names ' %q' "${@:1:NAMES_SHOWN}"
    say "left alone, not made by this script ($# in all):$names"
}

# Sets marked (0 or 1) and, where there is a marker, marker_binary, marker_version, marker_started
# and marker_resumes.
look_at_marker() {
    local text='' form entry
    marked=0
    # The listing is asked, too: a marker that cannot be looked at (an input/output error) must not
    # read as absent, for that would throw the data away.
    for entry in "$OWN"/.bootstrap-run.*; do
        [[ $entry != "$MARKER" ]] || marked=1
    done
    [[ ! -e $MARKER && ! -L $MARKER ]] || marked=1
    ((marked)) || return 0
    [[ -f $MARKER && ! -L $MARKER && -r $MARKER ]] ||
        fail 1 "$MARKER is not a readable file; the data is kept. $REMEDY"
    # 8192 is far above our own markers; the length is bounded because the file could be anything.
    IFS= read -r -d '' -n 8192 text 2>/dev/null <"$MARKER" || true
    if [[ $text =~ ^\{\"schema\":([0-9]{1,9}), ]] && ((10#${BASH_REMATCH[1]} > SCHEMA)); then
        fail 1 "$MARKER has schema ${BASH_REMATCH[1]}, this script knows $SCHEMA; the data is kept. \
Apply the newer k8s/targets again. $REMEDY"
    fi
    form="^\{\"schema\":$SCHEMA,\"run\":\"([0-9a-z-]+)\",\"binary\":\"([0-9a-f]{64})\""
    form+=",\"version\":(null|\{[^[:cntrl:]]*\}),\"started\":\"([0-9TZ:-]+)\""
    form+=",\"resumes\":([0-9]{1,9})\}"$'\n$'
    [[ $text =~ $form ]] || fail 1 "$MARKER is not a marker of ours; the data is kept. $REMEDY"
    [[ ${BASH_REMATCH[1]} == "$RUN_ID" ]] ||
        fail 1 "$MARKER names the run ${BASH_REMATCH[1]}: the directory was copied or renamed. $REMEDY"
    marker_binary=${BASH_REMATCH[2]} marker_version=${BASH_REMATCH[3]}
    marker_started=${BASH_REMATCH[4]} marker_resumes=$((10#${BASH_REMATCH[5]}))
}

look_at_binary() {
    [[ -f $BINARY && -x $BINARY ]] ||
        fail 2 "no avalanchego at $BINARY; this init container must run in the node's own image"
    { read -r binary _ < <(sha256sum <"$BINARY") && [[ $binary =~ ^[0-9a-f]{64}$ ]]; } ||
        fail 1 "cannot read $BINARY to its end"
}

# Sets version to one line of JSON, or to null: it is only told, so a build that cannot say its
# version is started all the same, and fails or passes by itself.
look_at_version() {
    local raw flat='"[^"\\[:cntrl:]]*": ?("[^"\\[:cntrl:]]*"|[0-9]+)'
    raw=$(timeout "$VERSION_SECONDS" "$BINARY" --version-json 2>/dev/null </dev/null |
        head -c 2000) || raw=
    raw=${raw//$'\n'/}
    while [[ $raw == *'  '* ]]; do raw=${raw//'  '/' '}; done
    version=null
    if [[ $raw =~ ^\{\ ?$flat(, ?$flat)*\ ?\}$ ]]; then
        version=$raw
    else
        say "avalanchego --version-json gave nothing that can be kept"
    fi
}

# --- Changing: in this order, each step safe to be killed before and after ------------------------

# The marker first, and on the disk before the rest goes: a crash in the middle must not leave a
# directory that looks complete.
remove_run() {
    say "removing ${1##*/}"
    if [[ -e $1/$MARKER_NAME || -L $1/$MARKER_NAME ]]; then
        { rm -f -- "$1/$MARKER_NAME" && sync -- "$1"; } ||
            fail 1 "cannot remove $1/$MARKER_NAME; is the volume read-only or broken?"
    fi
    patiently rm -rf --one-file-system -- "$1" ||
        fail 1 "cannot remove $1; is the volume read-only or broken?"
}

# Argument: resumes.
write_marker() {
    local new=$MARKER.new
    [[ ! -L $new ]] || fail 1 "$new is a symlink; remove it"
    {
        printf '{"schema":%d,"run":"%s","binary":"%s","version":%s,"started":"%s","resumes":%d}\n' \
            "$SCHEMA" "$RUN_ID" "$binary" "$version" "$started" "$1" 2>/dev/null >"$new" &&
            sync -- "$new" && mv -fT -- "$new" "$MARKER" && sync -- "$OWN" "$RUNS"
    } ||
        fail 1 "cannot write $MARKER; is the volume full or read-only? Make it larger, \
or free what is named above as left alone"
}

# Arguments: fresh, resumed or foreign; resumes. Nothing may follow it but the exit.
tell() {
    say "the data of $RUN_ID is $1 (times resumed: $2, binary: $binary)"
    printf '{"run":"%s","data":"%s","resumes":%d,"binary":"%s"}\n' "$RUN_ID" "$1" "$2" "$binary" \
        >"$TERMINATION_LOG" ||
        fail 1 "cannot write the termination message, without which the controller trusts nothing"
}

start_fresh() {
    ((!own)) || remove_run "$OWN"
    { mkdir -p -- "$RUNS" && mkdir -- "$OWN"; } ||
        fail 1 "cannot make $OWN; is the volume full or read-only?"
    look_at_version
    printf -v started '%(%FT%TZ)T' -1
    write_marker 0
    tell fresh 0
}

resume() {
    version=$marker_version started=$marker_started
    write_marker $((marker_resumes + 1))
    tell resumed $((marker_resumes + 1))
}

main() {
    local newest own marked binary version started
    local marker_binary marker_version marker_started marker_resumes
    local -a older
    while [[ -z $RUN_ID ]]; do
        wait_because "no run id yet; the controller pins a build and sets the pod template's \
annotation bootstrap.avax.network/run-id"
    done
    [[ $RUN_ID =~ $RUN_ID_SHAPE ]] ||
        fail 2 "not a run id: ${RUN_ID:0:80}; only the controller writes \
bootstrap.avax.network/run-id, in the form 20261123t060000z-1a2b3c4d"
    look_at_runs
    while [[ -n $newest ]]; do
        wait_because "the volume holds the newer run $newest; this pod is of $RUN_ID. \
The controller puts the newer pin back; until then nothing is touched"
        look_at_runs
    done
    look_at_binary
    look_at_marker
    if ((marked)) && [[ $marker_binary != "$binary" ]]; then
        say "the data of $RUN_ID was started by binary $marker_binary; another image was put into \
the Deployment. The data is kept"
        tell foreign "$marker_resumes"
        exit 3
    fi
    local directory
    for directory in "${older[@]}"; do
        remove_run "$directory"
    done
    if ((marked)); then resume; else start_fresh; fi
}

main
