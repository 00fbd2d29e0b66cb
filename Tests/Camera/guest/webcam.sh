# SPDX-License-Identifier: Apache-2.0
# The kernel's driver of USB webcams: what we capture is what the emulated one sent.

# like_sent FORMAT BYTES PICTURE...: captured frames are pictures that were sent.
like_sent() {
    local format=$1 bytes=$2
    shift 2
    capture /tmp/frames "$format" --size 640x480 --capture 3 && frames_are /tmp/frames "$bytes" "$@"
}

modprobe vhci-hcd
modprobe uvcvideo

plug_in a /pictures/noise-?.yuyv /pictures/light.jpg
until_true 20 test -e /dev/video1
check 'webcam, YUYV byte for byte' like_sent YUYV $((640 * 480 * 2)) /pictures/noise-?.yuyv
check 'webcam, MJPEG byte for byte' \
    like_sent MJPG "$(stat -c %s /pictures/light.jpg)" /pictures/light.jpg

ocellus cameras --json >/tmp/cameras 2>&1
for fact in 'Emulated webcam' 1d6b:0102 MJPG YUYV 640 brightness power_line_frequency; do
    check "cameras lists $fact" grep -q "$fact" /tmp/cameras
done
check 'the metadata node is not listed' fails grep -q /dev/video1 /tmp/cameras
pull_out a
until_true 20 fails test -e /dev/video0
