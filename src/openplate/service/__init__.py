"""The one place where settings, networks, storage and deliveries come together for the server."""
