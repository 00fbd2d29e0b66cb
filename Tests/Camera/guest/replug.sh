# SPDX-License-Identifier: Apache-2.0
# The plug is pulled while `ocellus watch` runs, and put in again, under the same number and under
# another one. It must recover, and answer correctly about the picture that is shown afterwards.

modprobe vhci-hcd
modprobe uvcvideo

fault='a camera that comes later'
start_watch --source usb:1d6b:0102
check "$fault: told once" told_once 'is not there yet; waiting for it'
check "$fault: waits" waits_idly
plug_in a $scenes -- 'show 1'
check "$fault: the light is on" answers_become yes
end_webcam 0

fault='unplug and replug'
begin_webcam --source /dev/video0 --control brightness=7
pull_out a
check "$fault: told once" told_once 'was unplugged'
check "$fault: no answer about an old picture" nothing_said
check "$fault: waits" waits_idly
plug_in a $scenes -- 'show 2'
end_webcam 1 failedReopens
check "$fault: its controls are as they were" grep -q 'brightness 7' /tmp/webcam.a.log

for source in usb:1d6b:0102 $link; do
    fault="replug under another number, $source"
    point_link video0
    begin_webcam --source $source
    pull_out a
    rm $link
    until_true 60 noticed 'was unplugged'
    # Another camera, which is light, takes the number. It is not the one that was asked for.
    plug_in b -p 1 -i 1d6b:0104 /pictures/light.jpg
    until_true 20 test -e /dev/video0
    check "$fault: no answer about another camera" nothing_said
    plug_in a $scenes -- 'show 2'
    check "$fault: it has another number" until_true 20 test -e /dev/video2
    point_link video2
    tell a 'show 2'
    check "$fault: afterwards it is dark" answers_become no
    stop_watch
    show_watch
    pull_out a
    pull_out b
    until_true 20 fails test -e /dev/video0
done
