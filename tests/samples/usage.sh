#!/bin/sh
# How many calls were made in this period.
curl -sS -H "Authorization: Token $TOKEN" "$HOST/v1/statistics/"
