#!/usr/bin/env bash
# The detector: vehicles and plates with corners, in one pass.
# Data:     scenes (7,493 pictures, 90 % for training), backbones/mobilenet_v1_0.5_imagenet_f16.npz
# Cost:     about two hours and a half of one core of an AMD EPYC (AVX-512, no AMX), some 9,500 steps of 16 windows, in
#           three runs (the later ones from where the first had come, with START=1); 4 GB of memory
# Expected: the rows of the detector in results/detection.csv
source "$(dirname "$0")/common.sh"
train detector_train --data "$data" --cache "$work/cache" --output "$work/detector" \
  --minutes "${3:-200}" --threads "$threads" $bfloat16 $(start detector)
export_network detector 0.1.0
