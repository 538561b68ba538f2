/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Version of libitem; the build reads these numbers, so they are the only ones.
 */
#ifndef ITEM_VERSION_H
#define ITEM_VERSION_H

#define ITEM_VERSION_MAJOR 0 /**< raised when the ABI breaks, from 1 on        */
#define ITEM_VERSION_MINOR 2 /**< raised with new functions; before 1.0, the ABI's too */
#define ITEM_VERSION_PATCH 0 /**< raised with repairs */

#endif
