"""Losses that several networks share."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch

SMOOTHING = 0.05


def sets_loss(logits: torch.Tensor, allowed: Sequence[Collection[int]]) -> torch.Tensor:
    """Negative log of the probability of all labels that would be right, a little smoothed: (N,) of (N, labels)."""
    mask = torch.full_like(logits, -torch.inf)
    for row, columns in enumerate(allowed):
        mask[row, list(columns)] = 0.0
    log_probabilities = logits.log_softmax(1)
    right = -(log_probabilities + mask).logsumexp(1)
    return (1 - SMOOTHING) * right - SMOOTHING * log_probabilities.mean(1)
