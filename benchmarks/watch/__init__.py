"""What watching costs: processor time for a frame, cameras per core, delays of events, memory."""
