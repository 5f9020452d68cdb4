#!/usr/bin/env bash
# The reader: a rectified plate to text.
# Data:     plate_crops (17,993 crops, 90 % for training) and plates rendered by openplate_training.synthesize
# Cost:     about eight hours of one core of an AMD EPYC (AVX-512, no AMX), some 50,000 steps of 64 crops, in five runs
#           (each from where the last had come, with START=1; the last two with BFLOAT16=1, 100 minutes each), and 99
#           minutes of both cores of an Intel Xeon (AMX; START=1 BFLOAT16=1 WORKERS=2), 9,800 steps of 64 crops for each
#           worker, on plates rendered as the code came to what it is; 4 GB of memory for each worker, and the rendering
# Fonts:    the Debian packages and npm packages in openplate_training/fonts.py; FONTS names node_modules/@fontsource
# Expected: the rows of the reader in results/reading.csv
source "$(dirname "$0")/common.sh"
render() { # CHUNK [OPTIONS]
  folder="$work/rendered/chunk_$1"
  [ -e "$folder/labels.jsonl" ] || "$python" -m openplate_training.synthesize --count 20000 --seed "1$1" \
    --output "$folder" ${FONTS:+--fonts "$FONTS"} "${@:2}"
}
for chunk in 00 01 02 03 04; do render "$chunk"; done
render 05 --regions br ar in id # countries with few real crops or none
render 06 --regions in
render 07 --regions br ar in id
render 08 --regions ar --count 10000
render 09 --regions br
render 10
render 11 --regions ar in id vn
render 12 --regions br
train reader_train --data "$data" --cache "$work/cache" --rendered "$work/rendered" \
  --output "$work/reader" --minutes "${3:-200}" --threads "$threads" $bfloat16 $(start reader)
export_network reader 0.4.0 ${START:+--average-with runs/starts/reader.npz}
"$python" -m openplate_training.calibrate reader --data "$data" --cache "$work/cache" --weights src/openplate/weights
