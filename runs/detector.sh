#!/usr/bin/env bash
# The detector: vehicles and plates with corners, in one pass.
# Data:     scenes (7,493 pictures, 90 % for training), backbones/mobilenet_v1_0.5_imagenet_f16.npz
# Cost:     about 105 minutes on one core of an AMD EPYC (AVX-512, no AMX), 1.5 GB of memory
# Expected: the rows of the detector in results/detection.csv
source "$(dirname "$0")/common.sh"
"$python" -m openplate_training.detector_train --data "$data" --cache "$work/cache" --output "$work/detector" \
  --minutes "${3:-105}" --threads "$threads" $(start detector)
export_network detector 0.1.0
