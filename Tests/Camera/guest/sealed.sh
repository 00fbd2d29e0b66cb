# SPDX-License-Identifier: Apache-2.0
# A sealed program goes on working, on a kernel that has seccomp and Landlock: it answers, saves, and
# finds a camera again that was unplugged.

modprobe vhci-hcd
modprobe uvcvideo
plug_in a /pictures/light.jpg /pictures/dark.jpg -- 'show 1'
until_true 20 test -e /dev/video0

state=/tmp/sealed/state
mkdir -p /tmp/sealed
start_watch --source /dev/video0 --seal --state $state --save-every 1s
check 'sealed: the light is on' answers_become yes
check 'sealed: the kernel filters its system calls' grep -q '^Seccomp:.*2' /proc/$watcher/status
tell a 'show 2'
check 'sealed: it is dark' answers_become no
pull_out a
check 'sealed: told once' told_once 'was unplugged'
plug_in a /pictures/light.jpg /pictures/dark.jpg -- 'show 1'
check 'sealed: finds the camera again' answers_become yes
check 'sealed: saves' until_true 60 test -s $state
stop_watch
code=$?
check 'sealed: SIGTERM is a success' test $code -eq 0
show_watch
pull_out a
until_true 20 fails test -e /dev/video0
