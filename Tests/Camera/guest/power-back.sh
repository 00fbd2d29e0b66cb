# SPDX-License-Identifier: Apache-2.0
# After the last power cut: the state is there and valid, and nothing half-written beside it stays.

modprobe virtio_pci
modprobe virtio_blk
modprobe crc32c_generic
modprobe ext4
modprobe vhci-hcd
modprobe uvcvideo
check 'the disk can be read' mount -t ext4 /dev/vda /mnt
plug_in a /pictures/light.jpg -- 'show 1'
until_true 20 test -e /dev/video0
start_watch --source /dev/video0 --state /mnt/state
check 'answers' answers_become yes
check 'the state survived the last cut' remembers
stop_watch
check 'SIGTERM saves' test -s /mnt/state
ls -l /mnt | sed 's/^/    /'
show_watch
umount /mnt
