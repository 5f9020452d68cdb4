#!/usr/bin/env bash
# The region network: country, US state or territory by a plate's look.
# Data:     plate_crops (15,372 training crops with a region or a sure guess of one), the ImageNet backbone
# Cost:     53 minutes on about a third of a core of an AMD EPYC (AVX-512, no AMX): some 1,900 steps of 48 crops;
#           2 GB of memory
# Expected: the rows of the region network in results/region.csv
source "$(dirname "$0")/common.sh"
"$python" -m openplate_training.region_train --data "$data" --cache "$work/cache" --output "$work/region" \
  --minutes "${3:-53}" --threads "$threads" $(start region)
export_network region 0.1.0
