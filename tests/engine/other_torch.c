/* SPDX-License-Identifier: Apache-2.0 */
/* Is called as another build of libtorch could be, and has nothing in it. */
__attribute__((visibility("default"))) extern const int other_torch;
const int other_torch = 1;
