# SPDX-License-Identifier: Apache-2.0
# What all suites use. Sourced by init.

checks=0
failures=0

passed() {
    checks=$((checks + 1))
    echo "PASS $*"
}

failed() {
    checks=$((checks + 1))
    failures=$((failures + 1))
    echo "FAIL $*"
}

# check DESCRIPTION COMMAND...: succeeds if the command does.
check() {
    local description=$1
    shift
    if "$@"; then passed "$description"; else failed "$description"; fi
}

# fails COMMAND...: the contrary.
fails() { ! "$@"; }

# until_true SECONDS COMMAND...: waits for a condition, for a generous time: emulation is slow.
until_true() {
    local tries=$(($1 * 5))
    shift
    while ! "$@"; do
        [ $tries -gt 0 ] || return 1
        tries=$((tries - 1))
        sleep 0.2
    done
}

# frames_are FILE BYTES EXPECTED...: FILE is made of frames of so many bytes, each like one of the
# expected files.
frames_are() {
    local file=$1 bytes=$2 size count=0 expected found
    shift 2
    size=$(stat -c %s "$file" 2>/dev/null)
    [ "${size:-0}" -gt 0 ] && [ $((size % bytes)) -eq 0 ] || return 1
    while [ $((count * bytes)) -lt "$size" ]; do
        dd if="$file" of=/tmp/frame bs="$bytes" skip=$count count=1 2>/dev/null
        found=
        for expected in "$@"; do cmp -s /tmp/frame "$expected" && found=$expected; done
        [ -n "$found" ] || return 1
        count=$((count + 1))
    done
}

# Cameras.

# vivid NODE_TYPES...: a camera without hardware, /dev/video0.
load_vivid() {
    modprobe vivid n_devs=1 vid_cap_nr=0 "$@"
    until_true 20 test -e /dev/video0
}

unload_vivid() { until_true 20 rmmod vivid; }

# control OPTIONS: v4l2-ctl on the camera.
control() { v4l2-ctl --device /dev/video0 "$@"; }

# plug_in NAME WEBCAM-OPTIONS...: an emulated webcam.
plug_in() {
    local name=$1
    shift
    [ -p "/tmp/webcam.$name" ] || mkfifo "/tmp/webcam.$name"
    rm -f "/tmp/webcam.$name.log"
    webcam -c "/tmp/webcam.$name" "$@" >"/tmp/webcam.$name.log" 2>&1 &
}

# tell NAME COMMAND: nobody listens to a FIFO whose webcam has gone.
tell() { timeout 5 sh -c 'echo "$1" >"$2"' sh "$2" "/tmp/webcam.$1"; }

# What a udev makes of the webcam with the default serial number; here nobody does.
link=/dev/v4l/by-id/usb-Ocellus_Emulated_webcam_OC1-video-index0
point_link() {
    mkdir -p "${link%/*}"
    ln -sf "../../$1" $link
}

# pull_out NAME: ends the webcam, which is pulling its plug.
pull_out() {
    tell "$1" 'unplug 0'
    until_true 20 grep -q unplugged "/tmp/webcam.$1.log"
}

# refused PATTERN COMMAND...: the command fails with that message.
refused() {
    local pattern=$1
    shift
    fails "$@" >/tmp/refused.out 2>/tmp/refused && grep -q -E "$pattern" /tmp/refused && return
    sed 's/^/    /' /tmp/refused
    return 1
}

# capture FILE FORMAT OPTIONS...: frames of our program, as the driver gave them.
capture() {
    local file=$1 format=$2
    shift 2
    rm -f "$file"
    ocellus cameras --source /dev/video0 --raw "$file" --format "$format" "$@" >/tmp/capture.log 2>&1
    local code=$?
    [ $code -eq 0 ] || sed 's/^/    /' /tmp/capture.log
    return $code
}

# Standing questions.

question='Is the light on?'
# How the program is started; as whom.
ocellus=ocellus

# start_watch OPTIONS...: our program in the background, with the memory that it has by default.
start_watch() {
    : >/tmp/answers
    : >/tmp/notices
    # shellcheck disable=SC2086
    $ocellus watch --model /model --ask "$question" --json --every 200ms "$@" \
        >/tmp/answers 2>/tmp/notices &
    watcher=$!
}

stop_watch() {
    kill "$watcher" 2>/dev/null
    wait "$watcher"
}

watch_runs() { kill -0 "$watcher" 2>/dev/null; }

answer_count() { wc -l </tmp/answers; }

# says ANSWER COUNT: the last answer is that, and it is not among the first COUNT.
says() {
    [ "$(answer_count)" -gt "$2" ] && tail -1 /tmp/answers | grep -q "\"answer\":\"$1\""
}

# answers_become ANSWER: from now on.
answers_become() { until_true 60 says "$1" "$(answer_count)"; }

# remembers: the first answer was not about the first frame that the model ever saw.
remembers() {
    local seen
    seen=$(sed -n '1s/.*"frames":\([0-9]*\).*/\1/p' /tmp/answers)
    [ "${seen:-0}" -gt 1 ] &&
        ! noticed 'nothing is remembered'
}

# until_saving STATE: waits until the next state is being written, beside the last one.
until_saving() {
    local tries=20000
    while [ $tries -gt 0 ]; do
        for partial in "$1".*.partial; do [ ! -e "$partial" ] || return 0; done
        tries=$((tries - 1))
    done
    return 1
}

# notice_count PATTERN: how many notices there are of something.
notice_count() { grep -c -E "$1" /tmp/notices; }

noticed() { [ "$(notice_count "$1")" -gt 0 ]; }

# told_once PATTERN: waits for a notice, which must not be repeated later.
told_once() { until_true 60 noticed "$1" && [ "$(notice_count "$1")" -eq 1 ]; }

# last_number NAME: that of the last answer, 0 before the first.
last_number() {
    local number
    number=$(tail -1 /tmp/answers | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p")
    echo "${number:-0}"
}

# counted NAME [COUNT]: what the last answer says that the source has counted, so often, or at least once.
counted() {
    if [ $# -gt 1 ]; then [ "$(last_number "$1")" -eq "$2" ]; else [ "$(last_number "$1")" -gt 0 ]; fi
}

# is_between LEAST NAME MOST
is_between() { [ "$(last_number "$2")" -ge "$1" ] && [ "$(last_number "$2")" -le "$3" ]; }

# nothing_said: no answer comes, for there is no new picture.
nothing_said() {
    local before
    sleep 2 # what is on its way may arrive
    before=$(answer_count)
    sleep 3
    [ "$(answer_count)" -eq "$before" ]
}

# processor_ticks: what the program has used, of 100 per second.
processor_ticks() { awk '{ print $14 + $15 }' "/proc/$watcher/stat"; }

# waits_idly: it does not spin. In three seconds it uses less than one.
waits_idly() {
    local before
    before=$(processor_ticks)
    sleep 3
    [ $(($(processor_ticks) - before)) -lt 100 ]
}

# show_watch: what it said, for the log.
show_watch() {
    echo "    answers: $(answer_count), last: $(tail -1 /tmp/answers | cut -c1-160)"
    sed 's/^/    /' /tmp/notices
}

# Cases of faults of the webcam, which are named by `fault`.

# Its pictures, 1 is light, 2 is dark: at the begin of a suite `scenes` are photographs, in MJPEG.
photographs='/pictures/light.jpg /pictures/dark.jpg'

# begin_webcam OPTIONS...: the light is on, and is seen.
begin_webcam() {
    # shellcheck disable=SC2086
    plug_in a $scenes -- 'show 1'
    until_true 20 test -e /dev/video0
    start_watch "$@"
    check "$fault: at first the light is on" answers_become yes
}

# end_webcam OUTAGES [COUNTER]: it goes dark, and that is seen too. The pictures had stopped so often, and
# something else was counted.
end_webcam() {
    tell a 'show 2'
    check "$fault: afterwards it is dark" answers_become no
    check "$fault: the program still runs" watch_runs
    check "$fault: $1 outages are counted" counted outages "$1"
    [ $# -lt 2 ] || check "$fault: $2 are counted" counted "$2"
    stop_watch
    show_watch
    pull_out a
    until_true 20 fails test -e /dev/video0
}
