"""Example bodies of the OpenAPI document; the tests compare them with what the server sends."""

from __future__ import annotations

from typing import Any, Final


def _error(status: int, detail: str) -> dict[str, Any]:
    return {"detail": detail, "status_code": status}


_BOX: Final = {"xmin": 812, "ymin": 640, "xmax": 951, "ymax": 688}
_PROPS: Final[dict[str, Any]] = {"make_model": [], "orientation": [], "color": []}
_VEHICLE_BOX: Final = {"xmin": 520, "ymin": 301, "xmax": 1240, "ymax": 803}

_WEBHOOK: Final[dict[str, Any]] = {
    "id": 7,
    "url": "https://example.com/plates",
    "event": "image.done",
    "images": ["original"],
    "header": "Authorization",
    "signed": True,
    "state": "active",
    "owner_email": "gate@example.com",
    "created_at": "2026-03-05T14:02:11.093412+00:00",
    "failing_since": None,
}

EXAMPLES: Final[dict[str, Any]] = {
    "Recognition": {
        "processing_time": 41.27,
        "results": [
            {
                "box": _BOX,
                "plate": "b4k77q",
                "score": 0.913,
                "dscore": 0.861,
                "region": {"code": "us-mo", "score": 0.402},
                "candidates": [{"score": 0.913, "plate": "b4k77q"}, {"score": 0.744, "plate": "84k77q"}],
                "vehicle": {"score": 0.88, "type": "Pickup Truck", "box": _VEHICLE_BOX},
            }
        ],
        "filename": "gate.jpg",
        "version": 1,
        "camera_id": "gate-north",
        "timestamp": "2026-03-05 14:02:11",
        "usage": {"calls": 412, "max_calls": 2500},
    },
    "VehicleRecognition": {
        "processing_time": 43.9,
        "results": [
            {
                "plate": {
                    "type": "Plate",
                    "score": 0.861,
                    "box": _BOX,
                    "props": {
                        "plate": [{"value": "b4k77q", "score": 0.913}],
                        "region": [{"value": "us-mo", "score": 0.402}],
                    },
                },
                "vehicle": {"type": "Pickup Truck", "score": 0.88, "box": _VEHICLE_BOX, "props": _PROPS},
            },
            {
                "plate": None,
                "vehicle": {
                    "type": "Sedan",
                    "score": 0.79,
                    "box": {"xmin": 12, "ymin": 288, "xmax": 301, "ymax": 470},
                    "props": _PROPS,
                },
            },
        ],
        "filename": "gate.jpg",
        "camera_id": "gate-north",
        "timestamp": "2026-03-05 14:02:11",
    },
    "Blur": {
        "plates": [
            {
                "plate": {
                    "type": "Plate",
                    "score": 0.861,
                    "box": _BOX,
                    "props": {
                        "plate": [{"value": "b4k77q", "score": 0.913}],
                        "region": [{"value": "us-mo", "score": 0.402}],
                    },
                },
                "vehicle": None,
                "polygon": [{"x": 812, "y": 640}, {"x": 951, "y": 642}, {"x": 950, "y": 688}, {"x": 812, "y": 686}],
            }
        ],
        "faces": [],
        "blur": {"filename": "gate.jpg", "base64": "/9j/4AAQSkZJRg=="},
        "filename": "gate.jpg",
        "timestamp": "2026-03-05T14:02:11.093412Z",
        "camera_id": None,
        "processing_time": 41.27,
    },
    "Statistics": {
        "usage": {"calls": 412, "month": 3, "year": 2026, "resets_on": "2026-04-01T00:00:00Z"},
        "total_calls": 2500,
    },
    "Info": {
        "version": "0.1.0",
        "license_key": "XXXXXXXXXX",
        "total_calls": 2500,
        "usage": {"calls": 412},
        "webhooks": [],
    },
    "Webhook": _WEBHOOK,
    "Webhooks": {"webhooks": [_WEBHOOK]},
    "NewWebhook": {
        "url": "https://example.com/plates",
        "images": ["original"],
        "header": "Authorization: Token 0123456789",
        "owner_email": "gate@example.com",
    },
    "TestOutcome": {"delivered": True, "status": 200, "detail": "OK"},
    "Health": {"status": "ready", "checks": {"networks": "ok", "database": "ok"}},
    "bad_request": _error(
        400,
        "No picture: send it in the field upload, as a file or as base64 text, or name it in upload_url. "
        "The request has the fields mmc.",
    ),
    "forbidden": _error(403, "Invalid token."),
    "not_found": {"detail": "Not found."},
    "too_slow": _error(408, "The body of the request took longer than 60 seconds."),
    "too_large": _error(413, "The request is larger than the limit of 64 MiB."),
    "media_type": _error(
        415,
        'Unsupported media type "text/plain" in request. '
        "Send multipart/form-data, application/x-www-form-urlencoded or application/json.",
    ),
    "throttled": _error(429, "Request was throttled. Expected available in 1 second."),
    "overloaded": _error(503, "The server holds as many uploads as it may. Try again in a moment."),
}
