# SPDX-License-Identifier: Apache-2.0
# The faults that vivid can provoke, while `ocellus watch` runs. Each time it must recover, and
# answer correctly about the picture that is shown afterwards.

show() {
    case $1 in
    light) control --set-ctrl test_pattern=1 ;;
    dark) control --set-ctrl test_pattern=5 ;;
    esac
}

# begin_vivid OPTIONS...: the light is on, and is seen.
begin_vivid() {
    show light
    start_watch --source /dev/video0 "$@"
    check "$fault: at first the light is on" answers_become yes
}

# end_vivid [OUTAGES]: it goes dark, and that is seen too. The pictures had stopped so often.
end_vivid() {
    show dark
    check "$fault: afterwards it is dark" answers_become no
    check "$fault: the program still runs" watch_runs
    check "$fault: ${1:-0} outages are counted" counted outages "${1:-0}"
    [ "${1:-0}" -eq 0 ] || check "$fault: pictures come again" noticed 'gives pictures again'
    stop_watch
    show_watch
}

load_vivid node_types=0x1 num_inputs=1 input_types=0
control --set-ctrl osd_text_mode=2

fault='a flagged buffer'
begin_vivid
control --set-ctrl inject_v4l2_buf_flag_error=1
check "$fault: told once" told_once 'marked a picture'
end_vivid
check "$fault: counted" counted flagged 1

fault='silence'
begin_vivid
control --set-ctrl percentage_of_dropped_buffers=100
check "$fault: told once" told_once 'gave no good picture'
check "$fault: no answer about an old picture" nothing_said
check "$fault: waits" waits_idly
control --set-ctrl percentage_of_dropped_buffers=0
end_vivid 1

fault='dropped pictures'
control --set-ctrl percentage_of_dropped_buffers=60
begin_vivid
end_vivid
check "$fault: counted" counted lost
control --set-ctrl percentage_of_dropped_buffers=0

fault='a fatal error'
begin_vivid
control --set-ctrl inject_fatal_streaming_error=1
check "$fault: told once" told_once 'failed \('
end_vivid 1
check "$fault: at once it is opened again" counted failedReopens 0

# Opening it again fails, once.
for call in reqbufs streamon; do
    fault="a fatal error, then a failing $call"
    begin_vivid
    control --set-ctrl inject_vidioc_${call}_error=1
    control --set-ctrl inject_fatal_streaming_error=1
    check "$fault: told once" told_once 'failed \('
    end_vivid 1
    check "$fault: that is counted" counted failedReopens 1
done

# A buffer that was read cannot be given back.
fault='a failing qbuf'
begin_vivid
control --set-ctrl inject_vidioc_qbuf_error=1
check "$fault: told once" told_once 'failed \(VIDIOC_QBUF'
end_vivid 1

# Only then does vivid, whose times are the system's otherwise, have no usable clock: it adds an offset
# that lets them wrap soon, 1: past 64 bits of nanoseconds, 2: past 32 bits of seconds.
for wrap in 1 2; do
    fault="numbers and times that wrap, $wrap"
    control --set-ctrl wrap_sequence_number=1,wrap_timestamp=$wrap
    begin_vivid
    check "$fault: told once" told_once 'no usable clock'
    # vivid's numbers begin 128 before the end of 32 bits.
    check "$fault: positions go on" until_true 60 is_between 256 frame 100000
    end_vivid
    check "$fault: counted" counted untimed
    check "$fault: no pictures seem lost by billions" is_between 0 lost 100000
    control --set-ctrl wrap_sequence_number=0,wrap_timestamp=0
done

# vivid has no MJPEG, and gives YUYV without a word; no picture of 1000x700 either.
fault='another format than was asked for'
begin_vivid --format MJPG
check "$fault: told once" told_once 'gives .* instead of MJPG'
end_vivid

fault='another size than was asked for'
begin_vivid --size 1000x700
check "$fault: told once" told_once 'gives .* instead of 1000x700'
end_vivid

# vivid comes back by itself as soon as its last user has closed it.
fault='a disconnected driver'
begin_vivid
control --set-ctrl disconnect=1
check "$fault: told once" told_once 'was unplugged'
check "$fault: comes back" until_true 60 noticed 'gives pictures again'
end_vivid 1

fault='an unbound driver'
begin_vivid
echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
check "$fault: told once" told_once 'was unplugged'
check "$fault: no answer about an old picture" nothing_said
check "$fault: waits" waits_idly
echo vivid.0 >/sys/bus/platform/drivers/vivid/bind
until_true 20 test -e /dev/video0
control --set-ctrl osd_text_mode=2
end_vivid 1
check "$fault: vain attempts to open it are counted" counted failedReopens
unload_vivid

# Pictures in several planes take other calls.
load_vivid node_types=0x1 num_inputs=1 input_types=0 multiplanar=2
control --set-ctrl osd_text_mode=2
fault='multiplanar: a flagged buffer, then a fatal error'
begin_vivid --format NM12
control --set-ctrl inject_v4l2_buf_flag_error=1
check "$fault: told once" told_once 'marked a picture'
control --set-ctrl inject_fatal_streaming_error=1
check "$fault: told once, too" told_once 'failed \('
end_vivid 1
check "$fault: counted" counted flagged 1
unload_vivid
