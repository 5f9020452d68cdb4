"""Training of the networks that Openplate ships; never imported by what runs."""
