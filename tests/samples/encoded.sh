#!/bin/sh
# A picture as base64 in broken lines, piped into a field.
base64 "$1" | curl -sS -F "upload=<-" -F regions=us-ca \
  -H "Authorization: Token $TOKEN" "$HOST/v1/plate-reader/"
