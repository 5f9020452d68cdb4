"""How readings of one pass become one group, in the words of both vendors."""

from __future__ import annotations

from dataclasses import dataclass

AUTOMATIC = -1


@dataclass(frozen=True, slots=True)
class GroupOptions:
    """When a vehicle is reported, and when it is the same again.

    Attributes:
        memory_decay_s: the same vehicle is not reported again until it has not been seen for so long; 0 forgets at
            once. What stands where it stood is the same however long nobody looked.
        max_prediction_delay_s: longest wait from the first reading to the report; None: until the vehicle has gone.
        merge_buffer: a vehicle that is not seen in so many analysed frames has gone; -1: by ``time_delta_ms``.
        time_delta_ms: a vehicle that is not seen for so long has gone.
        min_plates_to_group: fewer readings make no group.
        max_plates_to_group: a group of so many readings is reported while the vehicle is still there.
        min_confidence: readings below it do not count, 0 to 1.
        min_group_confidence: what the text of all readings together needs, 0 to 1, where there is one; of four readings
            half of it is enough, of nine a third: something is there.
        max_delay_to_send_ms: a group is reported no sooner than so long after its last reading. (A vehicle that is
            still there when ``max_prediction_delay_s`` or ``max_plates_to_group`` is reached does not wait.)
        preview: report early, once, with the frame in which a reading is confident; the group follows under the same
            id.
        preview_confidence: what a reading needs for it, 0 to 1, where all readings so far together say the same; or
            what all together need.
        report_static: report a vehicle that stands again after each ``memory_decay_s``, as parked.
        report_vehicles: report vehicles without a readable plate too.
        max_dwell_delay_s: report once more when a reported vehicle has not been seen for so long; None: do not.
    """

    memory_decay_s: float = 300.0
    max_prediction_delay_s: float | None = 6.0
    merge_buffer: int = AUTOMATIC
    time_delta_ms: int = 4500
    min_plates_to_group: int = 1
    max_plates_to_group: int = 500
    min_confidence: float = 0.0
    min_group_confidence: float = 0.4
    max_delay_to_send_ms: int = 0
    preview: bool = False
    preview_confidence: float = 0.9
    report_static: bool = False
    report_vehicles: bool = False
    max_dwell_delay_s: float | None = None

    def __post_init__(self) -> None:
        if self.memory_decay_s < 0 or self.time_delta_ms < 0 or self.max_delay_to_send_ms < 0:
            raise ValueError("memory_decay_s, time_delta_ms and max_delay_to_send_ms must be 0 or more")
        if self.max_prediction_delay_s is not None and self.max_prediction_delay_s < 0.1:
            raise ValueError(f"max_prediction_delay_s must be 0.1 or more, not {self.max_prediction_delay_s}")
        if self.merge_buffer != AUTOMATIC and self.merge_buffer < 1:
            raise ValueError(f"merge_buffer must be 1 or more, or -1, not {self.merge_buffer}")
        if not 1 <= self.min_plates_to_group <= self.max_plates_to_group:
            raise ValueError("min_plates_to_group must be 1 or more and not above max_plates_to_group")
        for name in ("min_confidence", "min_group_confidence", "preview_confidence"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must lie between 0 and 1, not {getattr(self, name)}")
        if self.max_dwell_delay_s is not None and self.max_dwell_delay_s <= 0:
            raise ValueError(f"max_dwell_delay_s must be above 0, not {self.max_dwell_delay_s}")


STREAM = GroupOptions()
"""As Plate Recognizer's Stream does where nothing is set."""

SCOUT = GroupOptions(
    memory_decay_s=0.0,
    max_prediction_delay_s=None,
    min_plates_to_group=2,
    min_confidence=0.8,
    min_group_confidence=0.0,
    max_delay_to_send_ms=7500,
    report_static=True,
)
"""As Rekor's Scout does where nothing is set."""
