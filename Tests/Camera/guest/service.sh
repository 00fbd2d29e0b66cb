# SPDX-License-Identifier: Apache-2.0
# `ocellus watch` as a service: it saves its state when it is told to stop, and a violent end while it
# saves leaves a whole state.

modprobe vhci-hcd
modprobe uvcvideo
plug_in a /pictures/light.jpg /pictures/dark.jpg -- 'show 1'
until_true 20 test -e /dev/video0

state=/tmp/state
rm -f $state
start_watch --source /dev/video0 --state $state
check 'state: answers' answers_become yes
stop_watch
code=$?
check 'state: SIGTERM is a success' test $code -eq 0
check 'state: SIGTERM saves' test -s $state
show_watch

start_watch --source /dev/video0 --state $state --save-every 1s
tell a 'show 2'
check 'state: answers about what it sees now' answers_become no
check 'state: restored' remembers

# A violent end while it saves, again and again: the file is as it was before or after.
intact=0
saving=0
for round in 1 2 3 4 5 6; do
    until_saving $state && saving=$((saving + 1))
    kill -9 $watcher
    wait $watcher
    start_watch --source /dev/video0 --state $state --save-every 100ms
    answers_become no && remembers && intact=$((intact + 1))
done
check 'state: violent ends while it saved' test $saving -gt 0
check 'state: six violent ends lose nothing' test $intact -eq 6
stop_watch
pull_out a
until_true 20 fails test -e /dev/video0
