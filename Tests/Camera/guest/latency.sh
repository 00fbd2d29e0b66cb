# SPDX-License-Identifier: Apache-2.0
# From the driver's time of a picture to the answer about it, and what became of the pictures. Printed,
# not checked: emulation says nothing about a board.

# measure NAME OPTIONS...: sixty answers, as fast as they come; every picture is encoded.
measure() {
    local name=$1
    shift
    ocellus watch --model /model --ask "$question" --json --count 60 --every 1ms --unchanged 0 \
        --stats "$@" >/tmp/answers 2>/tmp/notices
    check "$name: sixty answers" test "$(answer_count)" -eq 60
    check "$name: the driver's times are used" fails noticed 'no usable clock'
    sh /latency-of "$name" /tmp/answers /tmp/notices
}

load_vivid node_types=0x1 num_inputs=1 input_types=0
measure 'vivid, 640x480 YUYV' --source /dev/video0 --size 640x480 --format YUYV
unload_vivid
modprobe vhci-hcd
modprobe uvcvideo
plug_in a /pictures/light.jpg /pictures/light.yuyv
until_true 20 test -e /dev/video0
measure 'webcam, 640x480 YUYV' --source /dev/video0 --format YUYV
measure 'webcam, 640x480 MJPEG' --source /dev/video0 --format MJPG
pull_out a
until_true 20 fails test -e /dev/video0
