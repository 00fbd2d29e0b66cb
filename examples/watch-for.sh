#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Says when the answer to a question changes, for example when somebody comes or leaves.
#
#   usage: examples/watch-for.sh SOURCE "question" [ocellus options]
#
# SOURCE is a clip, a folder of pictures, or - for a pipe, for example from a camera:
#   ffmpeg -loglevel error -f v4l2 -i /dev/video0 -r 1 -f yuv4mpegpipe - |
#       examples/watch-for.sh - "Is there a person?" --choices yes,no
set -euo pipefail

ocellus=${OCELLUS:-.build/release/ocellus}
model=${OCELLUS_MODEL:-models/ommatidium}
source=$1
question=$2
shift 2

last=
"$ocellus" watch --model "$model" --source "$source" --ask "$question" --json "$@" |
    while read -r line; do
        answer=$(sed 's/.*"answer":"\([^"]*\)".*/\1/' <<<"$line")
        [ "$answer" != "$last" ] || continue
        echo "$question $answer"
        last=$answer
    done
