"""What the server adds to the engine: requests per second, waiting times, processor time, memory."""
