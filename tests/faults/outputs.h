/* SPDX-License-Identifier: Apache-2.0 */
/* What calls made; see trials.h. */
#ifndef TEST_FAULTS_OUTPUTS_H
#define TEST_FAULTS_OUTPUTS_H

#include "trials.h"

/* A number for all that the outputs tell; the same for the same answers. */
uint64_t outputs_look(void);
/* Whether one of the results is a failure for want of memory or of the system, or a picture was
   left out of a data set. */
bool outputs_tell(void);
void outputs_free(void);

#endif
