# SPDX-License-Identifier: Apache-2.0
# The faults of USB webcams, while `ocellus watch` runs. Each time it must recover, and answer
# correctly about the picture that is shown afterwards.

# The camera's pictures: 1 is light, 2 is dark.
scenes='/pictures/light.jpg /pictures/dark.jpg'

# begin_case OPTIONS...: the light is on, and is seen.
begin_case() {
    # shellcheck disable=SC2086
    plug_in a $scenes -- 'show 1'
    until_true 20 test -e /dev/video0
    start_watch "$@"
    check "$fault: at first the light is on" answers_become yes
}

# end_case: it goes dark, and that is seen too.
end_case() {
    tell a 'show 2'
    check "$fault: afterwards it is dark" answers_become no
    check "$fault: the program still runs" watch_runs
    stop_watch
    show_watch
    pull_out a
    until_true 20 fails test -e /dev/video0
}

modprobe vhci-hcd
modprobe uvcvideo

fault='unplug and replug'
begin_case --source /dev/video0
pull_out a
check "$fault: told once" told_once 'was unplugged'
check "$fault: no answer about an old picture" nothing_said
check "$fault: waits" waits_idly
plug_in a $scenes -- 'show 2'
end_case

fault='replug under another number'
begin_case --source usb:1d6b:0102
pull_out a
until_true 60 noticed 'was unplugged'
# Another camera, which is light, takes the number. It is not the one that was asked for.
plug_in b -p 1 -i 1d6b:0104 /pictures/light.jpg
until_true 20 test -e /dev/video0
check "$fault: no answer about another camera" nothing_said
plug_in a $scenes -- 'show 2'
check "$fault: it has another number" until_true 20 test -e /dev/video2
tell a 'show 2'
check "$fault: afterwards it is dark" answers_become no
stop_watch
show_watch
pull_out a
pull_out b
until_true 20 fails test -e /dev/video0

fault='silence'
begin_case --source /dev/video0
tell a 'silence 0'
check "$fault: told once" told_once 'gave no good picture'
check "$fault: no answer about an old picture" nothing_said
check "$fault: waits" waits_idly
tell a resume
end_case

# Unless it is told so, the driver leaves bad pictures out by itself.
fault='every other picture is lost'
begin_case --source /dev/video0
tell a 'flag 2'
end_case
echo 1 >/sys/module/uvcvideo/parameters/nodrop

fault='every other picture is flagged'
begin_case --source /dev/video0
tell a 'flag 2'
check "$fault: told once" told_once 'marked a picture'
end_case

fault='every other MJPEG picture is cut'
begin_case --source /dev/video0
tell a 'cut 2'
check "$fault: told once" told_once 'damaged JPEG'
end_case

fault='every MJPEG picture is cut'
begin_case --source /dev/video0
tell a 'cut 1'
check "$fault: told once" told_once 'gave no good picture'
check "$fault: no answer about half a picture" nothing_said
check "$fault: waits" waits_idly
tell a 'cut 0'
end_case

scenes='/pictures/light.yuyv /pictures/dark.yuyv'
fault='every other YUYV picture is cut'
begin_case --source /dev/video0
tell a 'cut 2'
check "$fault: told once" told_once 'gave a picture of|marked a picture'
end_case
