/* SPDX-License-Identifier: Apache-2.0 */
/* The tagger's weights; the definition is made from chunker.bin by embed.py when building. */
#ifndef ITEMI_TEXT_TAGGER_DATA_H
#define ITEMI_TEXT_TAGGER_DATA_H

#include <stdint.h>

extern const uint64_t itemi_tagger_data[];

#endif
