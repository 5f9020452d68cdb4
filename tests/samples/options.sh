#!/bin/sh
# Everything that can be said beside the picture; without the slash at the end, as some write it.
curl -sS -X POST -F "upload=@$1" -F regions=us-ca -F regions=mx -F mmc=true -F camera_id=gate-1 \
  -F timestamp=2026-03-05T14:02:11 -F 'config={"mode":"fast","threshold_d":0.3,"threshold_o":0.5}' \
  -H "Authorization: Token $TOKEN" "$HOST/v1/plate-reader"
