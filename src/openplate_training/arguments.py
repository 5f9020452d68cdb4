"""The command line that all trainings share."""

from __future__ import annotations

import argparse
from pathlib import Path


def training_parser(description: str, data: str, *, minutes: float, batch: int, rate: float) -> argparse.ArgumentParser:
    """Arguments of a training; ``data`` names the folders that it needs, the rest are defaults."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help=f"folder with {data}")
    parser.add_argument("--cache", type=Path, required=True, help="where decoded pictures are kept")
    parser.add_argument("--output", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--start", type=Path, help="weights to start from (runs/starts/), unless there is a checkpoint")
    parser.add_argument("--minutes", type=float, default=minutes)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--rate", type=float, default=rate)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--bfloat16",
        action="store_true",
        help="multiply in bfloat16: up to twice as fast on processors with AVX-512 bfloat16 or AMX, slower on others",
    )
    return parser
