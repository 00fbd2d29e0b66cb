# SPDX-License-Identifier: Apache-2.0
# The faults of USB webcams, while `ocellus watch` runs. Each time it must recover, and answer
# correctly about the picture that is shown afterwards.

modprobe vhci-hcd
modprobe uvcvideo

fault='silence'
begin_webcam --source /dev/video0
tell a 'silence 0'
check "$fault: told once" told_once 'gave no good picture'
check "$fault: no answer about an old picture" nothing_said
check "$fault: waits" waits_idly
tell a resume
end_webcam 1

# Unless it is told so, the driver leaves bad pictures out by itself.
fault='every other picture is lost'
begin_webcam --source /dev/video0
tell a 'flag 2'
end_webcam 0 lost
echo 1 >/sys/module/uvcvideo/parameters/nodrop

fault='every other picture is flagged'
begin_webcam --source /dev/video0
tell a 'flag 2'
check "$fault: told once" told_once 'marked a picture'
end_webcam 0 flagged

fault='every other MJPEG picture is cut'
begin_webcam --source /dev/video0
# libv4l2 would give cheaper formats, and half pictures.
check "$fault: the camera's own format is chosen" noticed '640x480 MJPG'
tell a 'cut 2'
check "$fault: told once" told_once 'damaged JPEG'
end_webcam 0 damaged

fault='every MJPEG picture is cut'
begin_webcam --source /dev/video0
tell a 'cut 1'
check "$fault: told once" told_once 'gave no good picture'
check "$fault: no answer about half a picture" nothing_said
check "$fault: waits" waits_idly
tell a 'cut 0'
end_webcam 1 damaged

scenes='/pictures/light.yuyv /pictures/dark.yuyv'
fault='every other YUYV picture is cut'
begin_webcam --source /dev/video0
tell a 'cut 2'
check "$fault: told once" told_once 'gave a picture of|marked a picture'
end_webcam 0 flagged
