#!/bin/bash
trap 'exit 143' TERM INT HUP # before all else: see "Told to stop"
#
# Prepares the data directory of one bootstrap run. The node starts only if this ends with 0.
#
# It runs as the init container, in avalanchego's own image: bash and coreutils are all there is.
# Each run has the directory /data/runs/<run id>; a run id begins with its UTC time, so ids sort by
# time. A directory is complete, and may be resumed, if and only if the marker lies in it.
#
#   no run id yet                      wait
#   a directory of another Deployment  a fault: two Deployments share the volume
#   a directory with a greater id      wait: a newer run owns this volume; a fault if the id is more
#                                      than a day in the future, for nobody would ever end that wait
#   own directory complete             same binary: remove the older ones, resume
#                                      another binary: say `foreign`, exit 3, change nothing
#   own directory absent, no marker    remove the older ones, start fresh, marker last; a fault if
#                                      the own id is more than a day in the future
#
# Whose a directory is stands in its marker. One that names nobody (no marker, one of schema 1, one
# that a build has spoilt) counts as this Deployment's.
#
# Everything is looked at before anything is changed, so a fault found never follows a removal.
# It may be killed between any two commands: a directory loses its marker before anything else in
# it, and gets it when all else is done, so what is half removed or half made is never resumed.
#
# Told to stop: the kernel drops a signal for process 1 of a PID namespace that has no handler for
# it yet, and the kubelet sends SIGTERM once; then the pod would stand in Terminating for its whole
# grace period. No program has a handler when it begins, and bash comes to its first command 2 ms
# later (10 to 20 ms on a busy machine: `python -m tests.deaf_time`). So the containers share one
# PID namespace (shareProcessNamespace in deployment.yaml): there bash is not process 1, and before
# its first command a signal ends it as it ends any program. Without it, those milliseconds remain.
#
# Exit codes: 0 ready, 1 fault of the volume, 2 fault of the manifest, 3 foreign data, 143 told to
# stop. The last line in the termination message is for the controller.

set -euo pipefail
shopt -s nullglob dotglob
export LC_ALL=C TZ=UTC0 # ids compare as bytes; times in the log and the marker are UTC

readonly RUN_ID=${RUN_ID:-}
readonly POD_NAME=${POD_NAME:-} POD_NAMESPACE=${POD_NAMESPACE:-}
readonly BINARY=${AVAGO_BINARY:-/avalanchego/build/avalanchego}
readonly ROOT=${DATA_ROOT:-/data}
readonly TERMINATION_LOG=${TERMINATION_LOG:-/dev/termination-log}
readonly MOUNTS=${MOUNTINFO:-/proc/self/mountinfo}

readonly RUNS=$ROOT/runs
readonly OWN=$RUNS/$RUN_ID
readonly MARKER_NAME=.bootstrap-run.json # no name that avalanchego uses in its data directory [98]
readonly MARKER=$OWN/$MARKER_NAME
readonly SCHEMA=2 # 1 names no Deployment, and is read, too
readonly RUN_ID_SHAPE='^[0-9]{8}t[0-9]{6}z-[0-9a-f]{8}$'
readonly REMIND_SECONDS=60  # how often a wait says again what it waits for
readonly VERSION_SECONDS=10 # --version-json prints and ends; a build that hangs here is not held up
readonly NAMES_SHOWN=20     # of strange files on the volume, so that the log stays readable
readonly CLOCKS_DIFFER='1 day' # at most, between the controller's and this machine's
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

# bash answers a signal only between commands or in `wait`: whatever may take long runs in the
# background. SIGKILL, because a child that has not begun yet loses others.
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

# Sets deployment to namespace/name, or to nothing where that cannot be known. A pod of a Deployment
# is called by its name, a hash and five characters; the API server shortens what would be longer
# than 63.
look_at_deployment() {
    local form='^([a-z0-9][-.a-z0-9]*)-[a-z0-9]{1,10}-[a-z0-9]{5}$'
    deployment=''
    [[ ! $POD_NAMESPACE =~ ^[a-z0-9][-a-z0-9]{0,62}$ || ! $POD_NAME =~ $form ]] ||
        ((${#POD_NAME} >= 63)) || deployment=$POD_NAMESPACE/${BASH_REMATCH[1]}
}

# Sets latest: a run id that begins with more is of the future.
look_at_clock() {
    latest=$(date -u -d "$CLOCKS_DIFFER" +%Y%m%dt%H%M%Sz) ||
        fail 1 "cannot tell the time; is this avalanchego's image?"
}

# Argument: run id.
is_of_the_future() { [[ ${1:0:16} > $latest ]]; }

may_use() { [[ -r $1 && -w $1 && -x $1 ]]; }

look_at_directory() {
    [[ ! -L $1 ]] || fail 1 "$1 is a symlink where a directory should be; remove the symlink"
    [[ -d $1 ]] || fail 1 "$1 is not a directory; move it away from the volume"
    ! may_use "$1" || return 0
    if [[ -O $1 && $1/ == "$RUNS"/* ]]; then
        # Of this pod's own user, so a build closed it. `remove_run` opens other runs' again.
        [[ $1 != "$OWN" && $1 != "$RUNS" ]] || fail 1 "$1 is closed to its own user: a build took \
the rights on it away; the data is kept. Give them back with chmod u+rwx"
        return 0
    fi
    fail 1 "$1 is not writable: the volume is read-only, or user $EUID may not write there; \
mount it read-write, and set fsGroup in the pod's security context"
}

# Argument: another run's directory.
look_at_owner() {
    local marker_kind marker_schema marker_run marker_deployment marker_binary marker_version
    local marker_started marker_resumes
    read_marker "$1"
    [[ $marker_kind != newer ]] || fail 1 "$1/$MARKER_NAME has schema $marker_schema, this script \
knows $SCHEMA, so whose data it is cannot be told; nothing is touched. Apply the newer \
k8s/targets again"
    [[ -n $marker_deployment && $marker_deployment != "$deployment" ]] || return 0
    if [[ -n $deployment ]]; then
        fail 1 "$1 belongs to the Deployment $marker_deployment, this pod to $deployment: two \
Deployments share one volume; nothing is touched. Give each a claim of its own; if \
$marker_deployment is gone for good, remove the directory"
    fi
    [[ ${1##*/} > $RUN_ID ]] || fail 2 "$1 belongs to the Deployment $marker_deployment, and this \
pod cannot tell its own; nothing is touched. Give the init container POD_NAME and POD_NAMESPACE, \
as in k8s/targets/base/deployment.yaml"
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
                continue
            fi
            look_at_owner "$entry"
            if [[ $name > $RUN_ID ]]; then
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

# Argument: a run's directory. Sets marker_kind: absent; odd, which is no readable file; newer, of a
# schema that this script does not know; spoilt, which is none of ours; or ours. Ours sets all else,
# too; marker_deployment is empty where it names none.
read_marker() {
    local file=$1/$MARKER_NAME text='' form entry
    marker_kind=absent marker_schema='' marker_run='' marker_deployment='' marker_binary=''
    # The listing is asked, too: a marker that cannot be looked at (an input/output error) must not
    # read as absent, for that would throw the data away.
    for entry in "$1"/.bootstrap-run.*; do
        [[ $entry != "$file" ]] || marker_kind=odd
    done
    [[ ! -e $file && ! -L $file ]] || marker_kind=odd
    # Opening a FIFO would wait for a writer for ever; of a device, nobody knows what reading does.
    [[ -f $file && ! -L $file && -r $file ]] || return 0
    marker_kind=spoilt
    # 8192 is far above our own markers; the length is bounded because the file could be anything.
    IFS= read -r -d '' -n 8192 text 2>/dev/null <"$file" || true
    if [[ $text =~ ^\{\"schema\":([0-9]{1,9}), ]] && ((10#${BASH_REMATCH[1]} > SCHEMA)); then
        marker_kind=newer marker_schema=${BASH_REMATCH[1]}
        return 0
    fi
    form='^\{"schema":[12],"run":"([0-9a-z-]+)"(,"deployment":(null|"([-./a-z0-9]{1,320})"))?'
    form+=',"binary":"([0-9a-f]{64})","version":(null|\{[^[:cntrl:]]*\}),"started":"([0-9TZ:-]+)"'
    form+=',"resumes":([0-9]{1,9})\}'$'\n$'
    [[ $text =~ $form ]] || return 0
    marker_kind=ours marker_run=${BASH_REMATCH[1]} marker_deployment=${BASH_REMATCH[4]}
    marker_binary=${BASH_REMATCH[5]} marker_version=${BASH_REMATCH[6]}
    marker_started=${BASH_REMATCH[7]} marker_resumes=$((10#${BASH_REMATCH[8]}))
}

# Sets marked (0 or 1) and, where there is a marker, what `read_marker` sets.
look_at_marker() {
    read_marker "$OWN"
    marked=1
    case $marker_kind in
        absent) marked=0 ;;
        odd) fail 1 "$MARKER is not a readable file; the data is kept. $REMEDY" ;;
        spoilt) fail 1 "$MARKER is not a marker of ours; the data is kept. $REMEDY" ;;
        newer)
            fail 1 "$MARKER has schema $marker_schema, this script knows $SCHEMA; the data is \
kept. Apply the newer k8s/targets again. $REMEDY"
            ;;
    esac
    ((marked)) || return 0
    [[ $marker_run == "$RUN_ID" ]] ||
        fail 1 "$MARKER names the run $marker_run: the directory was copied or renamed. $REMEDY"
    [[ -z $deployment || -z $marker_deployment || $marker_deployment == "$deployment" ]] ||
        fail 1 "$MARKER names the Deployment $marker_deployment, this pod is of $deployment: two \
Deployments share one volume and one run id; the data is kept. Give each a claim of its own. \
$REMEDY"
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
    if ! may_use "$1"; then
        chmod u+rwx -- "$1" || fail 1 "cannot give back the rights on $1 that a build took away"
        look_at_owner "$1" # could not be asked before
    fi
    if [[ -e $1/$MARKER_NAME || -L $1/$MARKER_NAME ]]; then
        { rm -f -- "$1/$MARKER_NAME" && sync -- "$1"; } ||
            fail 1 "cannot remove $1/$MARKER_NAME; is the volume read-only or broken?"
    fi
    patiently rm -rf --one-file-system -- "$1" 2>/dev/null && return 0
    say "${1##*/} cannot be removed as it is; giving back the rights on it that a build took away"
    patiently chmod -R u+rwX -- "$1" 2>/dev/null || true
    patiently rm -rf --one-file-system -- "$1" ||
        fail 1 "cannot remove $1; is the volume read-only or broken, or are there files of another \
user?"
}

# Argument: resumes.
write_marker() {
    local new=$MARKER.new owner=${deployment:-$marker_deployment}
    if [[ -n $owner ]]; then owner=\"$owner\"; else owner=null; fi
    [[ ! -L $new ]] || fail 1 "$new is a symlink; remove it"
    [[ ! -e $new || -f $new ]] || fail 1 "$new is not a file; remove it"
    {
        printf '{"schema":%d,"run":"%s","deployment":%s,"binary":"%s","version":%s,%s}\n' \
            "$SCHEMA" "$RUN_ID" "$owner" "$binary" "$version" \
            "\"started\":\"$started\",\"resumes\":$1" 2>/dev/null >"$new" &&
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
    look_at_version # before the directory is there: until it has its marker, it is nobody's
    { mkdir -p -- "$RUNS" && mkdir -- "$OWN"; } ||
        fail 1 "cannot make $OWN; is the volume full or read-only?"
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
    local newest own marked binary version started deployment latest
    local marker_kind marker_schema marker_run marker_deployment marker_binary marker_version
    local marker_started marker_resumes
    local -a older
    while [[ -z $RUN_ID ]]; do
        wait_because "no run id yet; the controller pins a build and sets the pod template's \
annotation bootstrap.avax.network/run-id"
    done
    [[ $RUN_ID =~ $RUN_ID_SHAPE ]] ||
        fail 2 "not a run id: ${RUN_ID:0:80}; only the controller writes \
bootstrap.avax.network/run-id, in the form 20261123t060000z-1a2b3c4d"
    look_at_deployment
    look_at_clock
    look_at_runs
    while [[ -n $newest ]]; do
        ! is_of_the_future "$newest" || fail 1 "the volume holds the run $newest, which is more \
than $CLOCKS_DIFFER in the future by this machine's clock: that one is wrong, or the controller's \
was; nothing is touched. Set the clock right; if it was the controller's, remove $RUNS/$newest"
        wait_because "the volume holds the newer run $newest; this pod is of $RUN_ID. \
The controller puts the newer pin back; until then nothing is touched"
        look_at_clock
        look_at_runs
    done
    look_at_binary
    look_at_marker
    if is_of_the_future "$RUN_ID"; then
        ((marked)) || fail 1 "the run $RUN_ID is more than $CLOCKS_DIFFER in the future by this \
machine's clock: that one is wrong, or the controller's; nothing is removed. Set the clock right. \
$REMEDY"
        say "the run $RUN_ID is more than $CLOCKS_DIFFER in the future by this machine's clock"
    fi
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
