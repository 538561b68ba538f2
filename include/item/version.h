/* SPDX-License-Identifier: Apache-2.0 */
/* Version of libitem; the build reads these numbers, so they are the only ones. */
#ifndef ITEM_VERSION_H
#define ITEM_VERSION_H

#define ITEM_VERSION_MAJOR 0
#define ITEM_VERSION_MINOR 1
#define ITEM_VERSION_PATCH 0

#endif
