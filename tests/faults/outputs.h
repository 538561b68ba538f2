/* SPDX-License-Identifier: Apache-2.0 */
/* What calls made; see trials.h. */
#ifndef TEST_FAULTS_OUTPUTS_H
#define TEST_FAULTS_OUTPUTS_H

#include "trials.h"

/* A number for all that the outputs tell; the same for the same answers. */
uint64_t outputs_look(void);
/* Whether one of the results is a failure with this status. */
bool outputs_tell(item_status status);
void outputs_free(void);

#endif
