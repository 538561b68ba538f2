/* SPDX-License-Identifier: Apache-2.0 */
/* Has the file name of another release of libtorch, and nothing in it. */
__attribute__((visibility("default"))) extern const int other_torch;
const int other_torch = 1;
