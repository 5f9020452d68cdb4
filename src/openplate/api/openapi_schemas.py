"""The shapes of what goes in and comes out, as OpenAPI components."""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]


def _object(properties: Schema, required: tuple[str, ...] | None = None, **others: Any) -> Schema:
    """An object; all its properties are required unless it says which are."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties if required is None else required),
        **others,
    }


def _list(items: Schema, **others: Any) -> Schema:
    return {"type": "array", "items": items, **others}


def _or_null(kind: str, **others: Any) -> Schema:
    return {"type": [kind, "null"], **others}


def reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_SCORE: Final[Schema] = {"type": "number", "minimum": 0, "maximum": 1}
_TEXT: Final[Schema] = {"type": "string"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_PIXEL: Final[Schema] = {"type": "integer", "description": "Pixels from the picture's top left."}
_TYPES: Final = ("Big Truck", "Bus", "Motorcycle", "Pickup Truck", "Sedan", "SUV", "Van", "Unknown")
_VALUES: Final = _list(_object({"value": _TEXT, "score": _SCORE}))

_BOX: Final = _object({"xmin": _PIXEL, "ymin": _PIXEL, "xmax": _PIXEL, "ymax": _PIXEL})
_CANDIDATE: Final = _object({"score": _SCORE, "plate": _TEXT})
_VEHICLE: Final = _object(
    {"score": _SCORE, "type": {"type": "string", "enum": list(_TYPES)}, "box": reference("Box")},
    description="Score 0 and a box of zeros where no vehicle was found.",
)
_MAKE: Final = _object({"make": _TEXT, "model": _TEXT, "score": _SCORE})
_DIRECTION: Final = {
    "direction": _or_null("number", description="Degrees; only with mmc and direction."),
    "direction_score": {**_SCORE, "description": "Only with mmc and direction."},
}
_RESULT: Final = _object(
    {
        "box": reference("Box"),
        "plate": {"type": "string", "description": "Lower case, without separators: the first candidate."},
        "score": {**_SCORE, "description": "Of the reading."},
        "dscore": {**_SCORE, "description": "Of the detection."},
        "region": _object({"code": _TEXT, "score": _SCORE}),
        "candidates": _list(_CANDIDATE, description="Best first."),
        "vehicle": reference("Vehicle"),
        "model_make": _list(_MAKE, description="Only with mmc."),
        "color": _list(_object({"color": _TEXT, "score": _SCORE}), description="Only with mmc."),
        "orientation": _list(_object({"orientation": _TEXT, "score": _SCORE}), description="Only with mmc."),
        **_DIRECTION,
    },
    ("box", "plate", "score", "dscore", "region", "candidates", "vehicle"),
)
_USAGE: Final = _object({"max_calls": _COUNT, "calls": _COUNT}, description="Only in the sdk flavour.")
_ANSWER: Final = _object(
    {
        "processing_time": {"type": "number", "description": "Milliseconds."},
        "results": _list(reference("Result")),
        "filename": _TEXT,
        "version": {"type": "integer", "const": 1},
        "camera_id": _or_null("string", description="As sent; without one null, in the sdk flavour the text null."),
        "timestamp": _TEXT,
        "usage": _USAGE,
    },
    ("processing_time", "results", "filename", "version", "camera_id", "timestamp"),
)
_PLATE_2: Final = _object(
    {
        "type": _TEXT,
        "score": _SCORE,
        "box": reference("Box"),
        "props": _object({"plate": _VALUES, "region": _VALUES}),
    },
    type=["object", "null"],
)
_VEHICLE_2: Final = _object(
    {
        "type": _TEXT,
        "score": _SCORE,
        "box": reference("Box"),
        "props": _object({"make_model": _list(_MAKE), "orientation": _VALUES, "color": _VALUES}),
    },
    ("type", "score", "box"),
    type=["object", "null"],
)
_POINT: Final = _object({"x": {"type": "integer"}, "y": {"type": "integer"}})
_BLUR: Final = _object(
    {
        "plates": _list(
            _object({"plate": _PLATE_2, "vehicle": {"anyOf": [_VEHICLE_2, {"type": "null"}]}, "polygon": _list(_POINT)})
        ),
        "faces": _list({"type": "object"}, maxItems=0),
        "blur": _object({"filename": _TEXT, "base64": {"type": "string", "contentEncoding": "base64"}}),
        "filename": _TEXT,
        "timestamp": _TEXT,
        "camera_id": _or_null("string"),
        "processing_time": {"type": "number", "minimum": 0},
    }
)
_ANSWER_2: Final = _object(
    {
        "processing_time": {"type": "number"},
        "results": _list(
            _object({"plate": _PLATE_2, "vehicle": _VEHICLE_2, **_DIRECTION}, ("plate", "vehicle")),
            description="Vehicles without a plate too.",
        ),
        "filename": _TEXT,
        "camera_id": _or_null("string"),
        "timestamp": _TEXT,
        "usage": _USAGE,
    },
    ("processing_time", "results", "filename", "camera_id", "timestamp"),
)
_STATISTICS: Final = _object(
    {
        "usage": _object({"calls": _COUNT, "month": _COUNT, "year": _COUNT, "resets_on": _TEXT}),
        "total_calls": {**_COUNT, "description": "Allowed in the period; a thousand million for any number."},
    }
)
_INFO: Final = _object(
    {
        "version": _TEXT,
        "license_key": _TEXT,
        "total_calls": _COUNT,
        "usage": _object({"calls": _COUNT}),
        "webhooks": _list(_TEXT),
    }
)
_WEBHOOK: Final = _object(
    {
        "id": _COUNT,
        "url": _TEXT,
        "event": {"type": "string", "const": "image.done"},
        "images": _list({"type": "string", "enum": ["original", "vehicle", "plate"]}),
        "header": _or_null("string", description="The name of the additional header; its value is not shown."),
        "signed": {"type": "boolean"},
        "state": {"type": "string", "enum": ["active", "paused", "disabled"]},
        "owner_email": _or_null("string"),
        "created_at": {"type": "string", "format": "date-time"},
        "failing_since": _or_null("string", format="date-time"),
    }
)
_NEW_WEBHOOK: Final = _object(
    {
        "url": {"type": "string", "format": "uri", "maxLength": 2048},
        "event": {"type": "string", "enum": ["image.done"], "default": "image.done"},
        "images": _list({"type": "string", "enum": ["original", "vehicle", "plate"]}, maxItems=3),
        "header": {"type": "string", "description": "One more header, Name: value.", "maxLength": 2048},
        "secret": {"type": "string", "description": "Signs every message (Standard Webhooks).", "maxLength": 200},
        "owner_email": {"type": "string", "description": "Told when the target is given up.", "maxLength": 254},
    },
    ("url",),
    additionalProperties=False,
)
_OUTCOME: Final = _object({"delivered": {"type": "boolean"}, "status": _or_null("integer"), "detail": _TEXT})
_HEALTH: Final = _object({"status": _TEXT, "checks": {"type": "object", "additionalProperties": _TEXT}}, ("status",))
_ERROR: Final = _object({"detail": _TEXT, "status_code": {"type": "integer"}}, ("detail",))

SCHEMAS: Final[dict[str, Schema]] = {
    "Box": _BOX,
    "Vehicle": _VEHICLE,
    "Result": _RESULT,
    "Recognition": _ANSWER,
    "VehicleRecognition": _ANSWER_2,
    "Blur": _BLUR,
    "Statistics": _STATISTICS,
    "Info": _INFO,
    "Webhook": _WEBHOOK,
    "Webhooks": _object({"webhooks": _list(reference("Webhook"))}),
    "NewWebhook": _NEW_WEBHOOK,
    "TestOutcome": _OUTCOME,
    "Health": _HEALTH,
    "Error": _ERROR,
}

_FIELDS: Final[Schema] = {
    "upload_url": {
        "type": "string",
        "format": "uri",
        "description": "Where the picture is (http or https); wins over upload.",
    },
    "regions": _list(
        _TEXT, description="Codes that guide the reading, such as us-ca; repeated, or with commas between them."
    ),
    "camera_id": {"type": "string", "maxLength": 200, "description": "Given back."},
    "timestamp": {"type": "string", "description": "ISO 8601, UTC where no zone is given; given back."},
    "mmc": {"type": "boolean", "description": "Make, model, color and orientation too.", "default": False},
    "direction": {"type": "boolean", "description": "Direction of travel too; needs mmc.", "default": False},
    "config": {
        "type": "string",
        "contentMediaType": "application/json",
        "description": "A JSON object: region, threshold_d, threshold_o, mode, detection_rule, detection_mode, "
        "text_formats, plates_per_vehicle, zoom_in_vehicles.",
    },
}
_BASE64: Final[Schema] = {"type": "string", "contentEncoding": "base64", "description": "The picture as base64."}
_FILE: Final[Schema] = {
    "type": "string",
    "contentMediaType": "application/octet-stream",
    "description": "The picture as a file; also accepted as base64 text.",
}

RECOGNITION_FORMS: Final[dict[str, Schema]] = {
    "multipart/form-data": {"schema": _object({"upload": _FILE, **_FIELDS}, ())},
    "application/x-www-form-urlencoded": {"schema": _object({"upload": _BASE64, **_FIELDS}, ())},
    "application/json": {"schema": _object({"upload": _BASE64, **_FIELDS}, ())},
}

_STRENGTH: Final[Schema] = {"type": "integer", "minimum": -1, "maximum": 10}
_SHARE: Final[Schema] = {"type": "number", "minimum": 0, "maximum": 1}
_EXCLUDED: Final[Schema] = _list({"type": "integer", "minimum": 0}, description="One value for each rectangle.")
_BLUR_FIELDS: Final[Schema] = {
    **{name: schema for name, schema in _FIELDS.items() if name not in ("mmc", "direction")},
    "plates": {**_STRENGTH, "description": "1 weakest, 10 strongest, 0 find without blurring, -1 do not look."},
    "faces": {**_STRENGTH, "maximum": -1, "description": "Not supported: -1 only."},
    "snapshot_filename": {"type": "string"},
    "skip_regexp": _list({"type": "string"}, description="Plates whose whole text matches stay readable."),
    "el": {**_SHARE, "description": "Share at the left edge where nothing is blurred; et, er, eb likewise."},
    "et": _SHARE,
    "er": _SHARE,
    "eb": _SHARE,
    "xmin": _EXCLUDED,
    "ymin": _EXCLUDED,
    "xmax": _EXCLUDED,
    "ymax": _EXCLUDED,
    "split": {"type": "integer", "minimum": 1, "maximum": 8, "description": "Pieces to search a wide picture in."},
    "overlap": {"type": "number", "minimum": 0, "maximum": 90, "description": "Of the pieces, in percent."},
    "copy_metadata": {"type": "boolean"},
}
BLUR_FORMS: Final[dict[str, Schema]] = {
    "multipart/form-data": {"schema": _object({"upload": _FILE, "logo": _FILE, **_BLUR_FIELDS}, ("plates",))},
    "application/x-www-form-urlencoded": {"schema": _object({"upload": _BASE64, **_BLUR_FIELDS}, ("plates",))},
}
