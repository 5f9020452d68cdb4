"""The HTTP side: Plate Recognizer's Snapshot interface and what belongs to running it.

``create_app(service)`` in ``openplate.api.app`` makes the ASGI application. Needs the extra ``server``.
"""
