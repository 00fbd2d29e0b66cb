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
check 'the metadata node is listed as what it is' \
    grep -q '"fault":"/dev/video1 gives data about pictures' /tmp/cameras

# What cannot be opened.
watch() { ocellus watch --model /model --ask "$question" --count 1 --no-wait --source "$@"; }
check 'the metadata node is refused' refused 'no pictures; they come from /dev/video0' watch /dev/video1
check 'a camera that is not there is refused' refused 'video9 is not there' watch /dev/video9
check 'a USB address that is not there is refused' refused 'is not there' watch usb:1d6b:ffff
v4l2-ctl --device /dev/video0 --stream-mmap --stream-to=/dev/null >/dev/null 2>&1 &
holder=$!
sleep 1
check 'a busy camera is refused' refused 'in use by another program' watch /dev/video0
kill $holder
wait $holder
echo 'nobody:x:99:99::/:/bin/sh' >/etc/passwd
check 'without permission a camera is refused' refused 'may not be opened by this user' \
    su nobody -c "ocellus watch --model /model --ask '$question' --source /dev/video0"

# Other ways to name the camera, and to ask it.
point_link video0
for source in usb:1d6b:0102 usb:1d6b:0102:OC1 $link; do
    check "watch --source $source" watch $source
done
check 'another serial number is another camera' refused 'is not there' watch usb:1d6b:0102:OC2
watch /dev/video0 --control brightness=7 --control power_line_frequency=2
check 'controls reach the camera' grep -q 'brightness 7, power line 2' /tmp/webcam.a.log
pull_out a
until_true 20 fails test -e /dev/video0
