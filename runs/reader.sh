#!/usr/bin/env bash
# The reader: a rectified plate to text.
# Data:     plate_crops (17,993 crops, 90 % for training) and plates rendered by openplate_training.synthesize
# Cost:     about six hours of one core of an AMD EPYC (AVX-512, no AMX), some 36,000 steps of 64 crops, in four runs
#           (each from where the last had come, with START=1; the last with BFLOAT16=1, and averaged with its start);
#           4 GB of memory, and the rendering
# Fonts:    the Debian packages and npm packages in openplate_training/fonts.py; FONTS names node_modules/@fontsource
# Expected: the rows of the reader in results/reading.csv
source "$(dirname "$0")/common.sh"
render() { # CHUNK [OPTIONS]
  folder="$work/rendered/chunk_$1"
  [ -e "$folder/labels.jsonl" ] || "$python" -m openplate_training.synthesize --count 20000 --seed "1$1" \
    --output "$folder" ${FONTS:+--fonts "$FONTS"} "${@:2}"
}
for chunk in 00 01 02 03 04 05 06; do render "$chunk"; done
render 07 --regions br ar in id # countries with few real crops or none
train() { # FOLDER SEED THREADS
  "$python" -m openplate_training.reader_train --data "$data" --cache "$work/cache" --rendered "$work/rendered" \
    --output "$work/$1" --seed "$2" --minutes "${minutes:-200}" --threads "$3" $bfloat16 $(start reader)
}
minutes=${3:-}
if [ -n "${START:-}" ]; then # two runs from one start, side by side: their mean is better than either
  half=$(((threads + 1) / 2))
  train reader_2 2 "$half" &
  train reader 1 "$half"
  wait $!
  export_network reader 0.3.0 --checkpoint "$work/reader" "$work/reader_2"
else
  train reader 1 "$threads"
  export_network reader 0.3.0
fi
"$python" -m openplate_training.calibrate reader --data "$data" --cache "$work/cache" --weights src/openplate/weights
