# Shared by the scripts here; they are called as: runs/NAME.sh DATA [WORK [MINUTES]]
#   DATA     folder with scenes/, plate_crops/ and backbones/ (the form is described in docs/training.md)
#   WORK     where decoded pictures, rendered plates and checkpoints are kept (default: checkpoints/ in the repository);
#            a run that was stopped goes on where its last checkpoint stood
#   MINUTES  budget of training time; default: what the shipped weight had
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
data=${1:?usage: $0 DATA [WORK [MINUTES]]}
work=${2:-checkpoints}
python=${PYTHON:-python}
workers=${WORKERS:-1} # processes that train together; threads are for each of them
threads=${THREADS:-$(($(nproc) / workers > 0 ? $(nproc) / workers : 1))}
bfloat16=${BFLOAT16:+--bfloat16} # up to twice as fast on processors with AVX-512 bfloat16 or AMX, slower on others
mkdir -p "$work"
# Training allocates and frees the same large blocks again and again: keep them (a tenth faster).
export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=100000000000 MALLOC_TOP_PAD_=268435456
export ORT_DISABLE_TELEMETRY=1

train() { # MODULE OPTIONS
  if [ "$workers" = 1 ]; then
    "$python" -m "openplate_training.$1" "${@:2}"
  else # the double dash keeps torchrun from taking our options for its own
    "$python" -m torch.distributed.run --standalone --nproc-per-node "$workers" -m -- "openplate_training.$1" "${@:2}"
  fi
}

export_network() { # NAME VERSION [OPTIONS]
  "$python" -m openplate_training.export "$1" --data "$data" --cache "$work/cache" --checkpoint "$work/$1" \
    --output src/openplate/weights --about "runs/about/$1.toml" --version "$2" --start "runs/starts/$1.npz" "${@:3}"
}

# Training starts from the weights that were shipped last where START is set, else from nothing.
start() { # NAME
  [ -n "${START:-}" ] && [ -e "runs/starts/$1.npz" ] && echo "--start runs/starts/$1.npz" || true
}
