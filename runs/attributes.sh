#!/usr/bin/env bash
# The attribute network: type, make and model, body, years, colour and view of a vehicle.
# Data:     vehicle_crops (17,634 for training), vehicles cut from scenes, the ImageNet backbone
# Cost:     about two hours of half a core of an AMD EPYC (AVX-512, no AMX), some 6,700 steps of 48 crops; 2 GB of memory
# Expected: the rows of the attribute network in results/attributes.csv
source "$(dirname "$0")/common.sh"
train attributes_train --data "$data" --cache "$work/cache" \
  --output "$work/attributes" --minutes "${3:-115}" --threads "$threads" $bfloat16 $(start attributes)
export_network attributes 0.1.0
"$python" -m openplate_training.calibrate attributes --data "$data" --cache "$work/cache" --weights src/openplate/weights
