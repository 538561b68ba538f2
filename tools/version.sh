#!/bin/sh
# Prints MAJOR.MINOR.PATCH of include/item/version.h, the one place that holds it.
awk '/define ITEM_VERSION_(MAJOR|MINOR|PATCH)/ { v = v sep $3; sep = "." } END { print v }' \
    "$(dirname "$0")/../include/item/version.h"
