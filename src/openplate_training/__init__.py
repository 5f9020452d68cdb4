"""Training of the networks that Openplate ships; never imported by what runs."""

import os

# Since 1.29 ONNX Runtime tells its makers of its use unless this is set before it is imported. Openplate, training
# included, tells nobody; who has set it otherwise meant it.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
