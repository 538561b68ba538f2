/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the mathematics share. */
#ifndef MATH_TESTS_H
#define MATH_TESTS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "math/math.h"

#define assert_near(a, b, within)                                                                  \
    do {                                                                                           \
        double near_a = (double)(a), near_b = (double)(b);                                         \
        if (!(fabs(near_a - near_b) <= (within)))                                                  \
            fail_msg("%s is %.17g, not %.17g", #a, near_a, near_b);                                \
    } while (0)

#endif
