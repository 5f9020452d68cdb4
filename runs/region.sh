#!/usr/bin/env bash
# The region network: country, US state or territory by a plate's look.
# Data:     plate_crops (14,805 training crops with a region or a sure guess of one), plates rendered by
#           openplate_training.synthesize (Brazil, Argentina, names of US states), the ImageNet backbone
# Cost:     about two and a half hours of half a core of an AMD EPYC (AVX-512, no AMX), some 8,400 steps of 48 crops,
#           in five runs (each from where the last had come, with START=1); 2 GB of memory
# Expected: the rows of the region network in results/region.csv
source "$(dirname "$0")/common.sh"
rendered="$work/rendered_regions"
[ -e "$rendered/labels.jsonl" ] || "$python" -m openplate_training.synthesize --count 23000 --seed 901 --height 96 \
  --output "$rendered" ${FONTS:+--fonts "$FONTS"}
train region_train --data "$data" --cache "$work/cache" --rendered "$rendered" \
  --output "$work/region" --minutes "${3:-120}" --threads "$threads" $bfloat16 $(start region)
export_network region 0.1.0
"$python" -m openplate_training.calibrate region --data "$data" --cache "$work/cache" --weights src/openplate/weights
