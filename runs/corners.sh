#!/usr/bin/env bash
# The corner network: a plate from close up, its corners about in place, to where they are.
# Data:     scenes and plate_crops (7,411 training plates with known corners, 500 of them set by people)
# Cost:     half an hour of one core of an AMD EPYC (AVX-512, no AMX), some 9,400 steps of 64 plates; 1.5 GB of memory
# Expected: the rows of the corners in results/detection.csv
source "$(dirname "$0")/common.sh"
train corners_train --data "$data" --cache "$work/cache" --output "$work/corners" \
  --minutes "${3:-48}" --threads "$threads" $bfloat16 $(start corners)
export_network corners 0.1.0
