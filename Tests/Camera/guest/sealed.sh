# SPDX-License-Identifier: Apache-2.0
# A sealed program goes on working, on a kernel that has seccomp and Landlock: it answers, saves its
# state and pictures, starts commands, and finds a camera again that was unplugged.

modprobe vhci-hcd
modprobe uvcvideo
plug_in a /pictures/light.jpg /pictures/dark.jpg -- 'show 1'
until_true 20 test -e /dev/video0

state=/tmp/sealed/state
kept=/tmp/sealed/kept
mkdir -p $kept
printf '#!/bin/sh\necho "$OCELLUS_ANSWER" >>/tmp/noted\n' >/tmp/note
chmod +x /tmp/note
rm -f /tmp/noted

# noted COUNT: so many commands have run.
noted() { [ "$(wc -l </tmp/noted)" -eq "$1" ]; }

kept_count() { ls $kept | grep -c 'jpg$'; }
more_kept() { [ "$(kept_count)" -gt "$1" ]; }

start_watch --source /dev/video0 --when yes --exec /tmp/note --seal --state $state \
    --save-every 1s --save-frames $kept
check 'sealed: the light is on' answers_become yes
check 'sealed: the kernel filters its system calls' grep -q '^Seccomp:.*2' /proc/$watcher/status
check 'sealed: a command is started' until_true 60 noted 1
check 'sealed: pictures are kept' until_true 60 more_kept 0
tell a 'show 2'
check 'sealed: it is dark' answers_become no
pull_out a
check 'sealed: told once' told_once 'was unplugged'
check 'sealed: waits' waits_idly
before=$(kept_count)
plug_in a /pictures/light.jpg /pictures/dark.jpg -- 'show 1'
check 'sealed: finds the camera again' answers_become yes
check 'sealed: a command is started again' until_true 60 noted 2
check 'sealed: pictures are kept again' until_true 60 more_kept "$before"
check 'sealed: saves' until_true 60 test -s $state
stop_watch
code=$?
check 'sealed: SIGTERM is a success' test $code -eq 0
show_watch

start_watch --source /dev/video0 --seal --state $state
check 'sealed: restores its state' until_true 60 remembers
stop_watch
pull_out a
until_true 20 fails test -e /dev/video0
