#!/bin/sh
# A picture that the server fetches itself.
curl -sS -F "upload_url=$1" -F regions=us-ca -H "Authorization: Token $TOKEN" "$HOST/v1/plate-reader/"
