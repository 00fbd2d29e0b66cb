# SPDX-License-Identifier: Apache-2.0
# vivid, the kernel's camera without hardware: what we capture is what it shows.

# like_v4l2_ctl FORMAT WIDTH HEIGHT: our frames are, byte for byte, those of another program.
like_v4l2_ctl() {
    rm -f /tmp/expected
    control --set-fmt-video="width=$2,height=$3,pixelformat=$1" --stream-mmap --stream-count=1 \
        --stream-to=/tmp/expected >/dev/null 2>&1
    capture /tmp/frames "$1" --size "$2x$3" --capture 2 &&
        frames_are /tmp/frames "$(stat -c %s /tmp/expected)" /tmp/expected
}

load_vivid node_types=0x1 num_inputs=1 input_types=0
control --set-ctrl test_pattern=1,osd_text_mode=2
for size in 640x360 640x480; do
    capture /tmp/frames RGB3 --size $size --capture 3
    bytes=$(stat -c %s /pictures/bars-$size.rgb)
    check "vivid's colour bars, $size" frames_are /tmp/frames "$bytes" /pictures/bars-$size.rgb
done
for format in RGB3 BGR3 GREY YUYV UYVY NV12 YU12; do
    check "vivid, $format as v4l2-ctl reads it" like_v4l2_ctl $format 640 360
done
check 'vivid, YUYV at 1280x720' like_v4l2_ctl YUYV 1280 720
unload_vivid

load_vivid node_types=0x1 num_inputs=1 input_types=0 multiplanar=2
control --set-ctrl test_pattern=1,osd_text_mode=2
for format in RGB3 YUYV NV12 NM12 YM12; do
    check "multiplanar vivid, $format as v4l2-ctl reads it" like_v4l2_ctl $format 640 360
done
unload_vivid

# Our own pictures, out of vivid's HDMI output and into its HDMI input.
load_vivid node_types=0x101 num_inputs=1 input_types=3 num_outputs=1 output_types=1 vid_out_nr=1
for node in 0 1; do v4l2-ctl --device /dev/video$node --set-dv-bt-timings=index=0 >/dev/null; done
control --set-ctrl loop_video=1,osd_text_mode=2
for format in YUYV RGB3; do
    case $format in
    YUYV) kind=yuyv bytes=$((640 * 480 * 2)) ;;
    RGB3) kind=rgb bytes=$((640 * 480 * 3)) ;;
    esac
    cat /pictures/noise-?.$kind >/tmp/shown
    v4l2-ctl --device /dev/video1 \
        --set-fmt-video-out=width=640,height=480,pixelformat=$format,field=none,colorspace=srgb
    v4l2-ctl --device /dev/video1 --stream-out-mmap=3 --stream-from=/tmp/shown --stream-loop \
        >/dev/null 2>&1 &
    feeder=$!
    sleep 2
    capture /tmp/frames $format --size 640x480 --capture 5
    check "vivid's loop, $format byte for byte" frames_are /tmp/frames $bytes /pictures/noise-?.$kind
    kill $feeder
    wait $feeder
done
unload_vivid
