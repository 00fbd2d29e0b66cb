# SPDX-License-Identifier: Apache-2.0
# A camera that has none of our formats is read through libv4l2, which turns them into one of ours.

modprobe vhci-hcd
modprobe uvcvideo

# YU12 is YV12 with its chroma planes exchanged, so nothing is lost on the way.
plug_in a /pictures/noise.yv12
until_true 20 test -e /dev/video0
bytes=$((640 * 480 * 3 / 2))
check 'libv4l2 gives pictures' capture /tmp/frames YU12 --size 640x480 --capture 3
check 'libv4l2 makes YU12 of it, byte for byte' \
    frames_are /tmp/frames $bytes /pictures/noise.yu12
v4l2-ctl --device /dev/video0 --list-formats >/tmp/formats
ocellus cameras >/tmp/cameras 2>&1
check 'cameras lists what the camera itself has' grep -q 'YV12 .*not read by ocellus' /tmp/cameras
check 'cameras lists nothing that libv4l2 makes' fails grep -q YU12 /tmp/cameras
check 'cameras says that libv4l2 is needed' grep -q 'read through libv4l2' /tmp/cameras
check 'the camera itself has YV12' grep -q YV12 /tmp/formats
check 'the camera itself has nothing else' fails grep -q YU12 /tmp/formats
pull_out a
until_true 20 fails test -e /dev/video0

scenes='/pictures/light.yv12 /pictures/dark.yv12'
fault='a camera through libv4l2, unplugged'
begin_webcam --source /dev/video0
check "$fault: said so" noticed '640x480 YU12 that libv4l2 makes of YV12'
pull_out a
check "$fault: told once" told_once 'was unplugged'
check "$fault: waits" waits_idly
plug_in a $scenes -- 'show 2'
end_webcam 1
