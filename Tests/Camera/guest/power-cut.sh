# SPDX-License-Identifier: Apache-2.0
# Saves the state on a disk without pause, and cuts the power: what the kernel had not written is
# lost. Called again with the same disk, it first checks what the last cut has left.

modprobe virtio_pci
modprobe virtio_blk
modprobe crc32c_generic
modprobe ext4
modprobe vhci-hcd
modprobe uvcvideo
check 'the disk can be read' mount -t ext4 /dev/vda /mnt
plug_in a /pictures/light.jpg -- 'show 1'
until_true 20 test -e /dev/video0

had_state=
[ -e /mnt/state ] && had_state=yes
start_watch --source /dev/video0 --state /mnt/state --save-every 50ms
check 'answers' answers_become yes
[ -z "$had_state" ] || check 'the state survived the last cut' remembers
until_true 20 test -s /mnt/state
[ -n "$had_state" ] || sync
show_watch
echo "RESULT=$failures"
sleep 0.5
until_saving /mnt/state && echo 'cut while saving'
echo b >/proc/sysrq-trigger
