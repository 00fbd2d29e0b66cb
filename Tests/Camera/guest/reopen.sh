# SPDX-License-Identifier: Apache-2.0
# A camera that was unplugged is back, and cannot be opened again: another program has it, or this user
# may not; or another program has it from the start. `ocellus watch` must say so, wait, recover, and
# answer correctly about the picture that is shown afterwards.

modprobe vhci-hcd
modprobe uvcvideo

# The camera is only found once it is in use.
point_link video0
fault='a camera that is busy when it is back'
begin_webcam --source $link
rm $link
pull_out a
check "$fault: told once" told_once 'was unplugged'
plug_in a $scenes -- 'show 2'
until_true 20 test -e /dev/video0
v4l2-ctl --device /dev/video0 --stream-mmap --stream-to=/tmp/held >/dev/null 2>&1 &
holder=$!
until_true 60 test -s /tmp/held
point_link video0
check "$fault: told once that it is busy" told_once 'in use by another program'
check "$fault: no answer about an old picture" nothing_said
check "$fault: waits" waits_idly
kill $holder
wait $holder
end_webcam 1 failedReopens
check "$fault: told once altogether" test "$(notice_count 'in use by another program')" -eq 1
rm -f $link /tmp/held

# After a restart the process before may still have the camera.
fault='a camera that is busy at the start'
plug_in a $scenes -- 'show 1'
until_true 20 test -e /dev/video0
v4l2-ctl --device /dev/video0 --stream-mmap --stream-to=/tmp/held >/dev/null 2>&1 &
holder=$!
until_true 60 test -s /tmp/held
check "$fault: without waiting, an error" refused 'in use by another program' \
    ocellus watch --model /model --ask "$question" --source /dev/video0 --no-wait
start_watch --source /dev/video0
check "$fault: told once" told_once 'in use by another program'
check "$fault: waits" waits_idly
check "$fault: nothing is said" test ! -s /tmp/answers
kill $holder
wait $holder
check "$fault: then the light is on" answers_become yes
end_webcam 0
check "$fault: told once altogether" test "$(notice_count 'in use by another program')" -eq 1
rm -f /tmp/held

# The kernel gives the device that is back to root alone; a udev would then allow it to others.
echo 'nobody:x:99:99::/:/bin/sh' >/etc/passwd
ocellus='start-stop-daemon -S -c nobody -x /bin/ocellus --'
fault='a camera that is not allowed when it is back'
plug_in a $scenes -- 'show 1'
until_true 20 test -e /dev/video0
chmod 666 /dev/video0
start_watch --source /dev/video0
check "$fault: at first the light is on" answers_become yes
check "$fault: it is not root" grep -q '^Uid:.99' /proc/$watcher/status
pull_out a
check "$fault: told once" told_once 'was unplugged'
plug_in a $scenes -- 'show 2'
check "$fault: told once that it is not allowed" told_once 'may not be opened by this user'
check "$fault: no answer about an old picture" nothing_said
check "$fault: waits" waits_idly
chmod 666 /dev/video0
end_webcam 1 failedReopens
check "$fault: told once altogether" test "$(notice_count 'may not be opened')" -eq 1
ocellus=ocellus
