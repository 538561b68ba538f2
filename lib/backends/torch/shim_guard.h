/* SPDX-License-Identifier: Apache-2.0 */
/* What shim.cc puts around each operation: no cancelled thread, no warning on stderr. */
#ifndef ITX_SHIM_GUARD_H
#define ITX_SHIM_GUARD_H

#include "shim.h"

#include <c10/util/Exception.h>
#include <pthread.h>
#include <torch/csrc/api/include/torch/version.h>

#include <string>

namespace
{

/* A cancelled thread unwinds through catch (...), which ends the process. */
class Uncancellable
{
  public:
    Uncancellable()
    {
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_);
    }
    ~Uncancellable()
    {
        pthread_setcancelstate(before_, &before_);
    }

  private:
    int before_ = 0;
};

/* libtorch prints its warnings on stderr unless told otherwise. */
class Warnings final : public c10::WarningHandler
{
  public:
    explicit Warnings(const itx_hooks &hooks) : hooks_(hooks)
    {
    }
#if TORCH_VERSION_MAJOR >= 2
    void process(const c10::Warning &warning) override
    {
        tell(warning.msg());
    }
#else
    void process(const c10::SourceLocation &, const std::string &text, bool) override
    {
        tell(text);
    }
#endif

  private:
    void tell(const std::string &text)
    {
        if (hooks_.warn)
            hooks_.warn(hooks_.user, text.c_str());
    }
    const itx_hooks &hooks_;
};

#if TORCH_VERSION_MAJOR >= 2
using Quiet = c10::WarningUtils::WarningHandlerGuard;
#else
using Quiet = c10::Warning::WarningHandlerGuard;
#endif

} // namespace

#endif
