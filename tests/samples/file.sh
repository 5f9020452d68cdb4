#!/bin/sh
# A picture as a file, with two regions.
curl -sS -F "upload=@$1" -F regions=us-ca -F regions=mx \
  -H "Authorization: Token $TOKEN" "$HOST/v1/plate-reader/"
