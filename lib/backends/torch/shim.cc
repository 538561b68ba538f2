/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only C++ of libitem: operations of libtorch behind the table of shim.h. Nothing thrown
 * leaves this file, nothing is printed, and nothing that belongs to the whole process is changed.
 */
#include "onednn.h"
#include "shim_guard.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>
#include <dlfcn.h>
#include <pthread.h>
#include <torch/csrc/api/include/torch/version.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include <item/base.h>

struct itx_tensor {
    at::Tensor t;
};

struct itx_run {
    itx_hooks hooks{};
    at::Device device{at::kCPU};
    std::vector<std::unique_ptr<itx_tensor>> tensors;
    int32_t status = ITEM_OK;
    char text[256] = {0}; /* fixed, so that a failure to allocate can be told */
};

namespace
{

/* The first line of a text, at `used` of a buffer; returns where it ends. */
size_t put_line(char *out, size_t room, size_t used, const char *text)
{
    for (; *text != 0 && *text != '\n' && used + 1 < room; text++)
        out[used++] = *text;
    out[used] = 0;
    return used;
}

void fail(itx_run *run, int32_t status, const char *text) noexcept
{
    if (run->status != ITEM_OK)
        return;
    run->status = status;
    put_line(run->text, sizeof run->text, 0, text);
}

/* "what: reason"; libtorch says in words that memory ended. */
void fail_in(itx_run *run, const char *what, const char *reason) noexcept
{
    char text[sizeof run->text];
    size_t used = put_line(text, sizeof text, 0, what);
    used = put_line(text, sizeof text, used, ": ");
    put_line(text, sizeof text, used, reason);
    const bool memory = std::strstr(reason, "allocate memory") || std::strstr(reason, "bad_alloc");
    fail(run, memory ? ITEM_E_MEMORY : ITEM_E_BACKEND, text);
}

/* Every operation runs in here. */
template <class F> void guarded(itx_run *run, const char *what, F &&body) noexcept
{
    if (run->status == ITEM_OK && run->hooks.stop && run->hooks.stop(run->hooks.user))
        fail(run, ITEM_E_CANCELLED, "cancelled");
    if (run->status != ITEM_OK)
        return;
    Uncancellable whole;
    try {
        c10::InferenceMode inference;
        Warnings warnings(run->hooks);
        Quiet quiet(&warnings);
        body();
    } catch (const c10::Error &error) {
        fail_in(run, what, error.what_without_backtrace());
    } catch (const std::exception &error) {
        fail_in(run, what, error.what());
    } catch (...) {
        fail_in(run, what, "unknown exception");
    }
}

/* An operation that makes a tensor, kept in the run. */
template <class F> itx_tensor *make(itx_run *run, const char *what, F &&body) noexcept
{
    itx_tensor *made = nullptr;
    guarded(run, what, [&] {
        auto tensor = std::make_unique<itx_tensor>();
        tensor->t = body();
        run->tensors.push_back(std::move(tensor));
        made = run->tensors.back().get();
    });
    return made;
}

/* Operations of one expression. */
#define OP(name, arguments, expression)                                                            \
    itx_tensor *name arguments noexcept                                                            \
    {                                                                                              \
        return make(run, #name, [&] { return expression; });                                       \
    }

const at::Tensor &raw(const itx_tensor *x)
{
    TORCH_CHECK(x, "a tensor is missing");
    return x->t;
}

/* float32 of what may have come out of a convolution in bfloat16 */
at::Tensor f32(const itx_tensor *x)
{
    return raw(x).to(at::kFloat);
}

at::IntArrayRef sizes(const itx_shape *shape)
{
    return {shape->size, shape->dims};
}

at::Tensor activated(at::Tensor x, itx_act act)
{
    switch (act) {
    case ITX_RELU6:
        return at::clamp_(x, 0, 6);
    case ITX_LEAKY:
        return at::leaky_relu_(x, 0.1);
    case ITX_GELU:
        return at::gelu_(x);
    case ITX_QUICK_GELU: /* silu(x) is x times the sigmoid of x */
        return at::silu_(x.mul_(1.702)).mul_(1.0 / 1.702);
    case ITX_NONE:
        break;
    }
    return x;
}

/* ---- the library and its threads ---- */

const char *describe() noexcept
{
    static char text[4096];
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, [] {
        try {
            at::show_config().copy(text, sizeof text - 1);
        } catch (...) {
            text[0] = 0;
        }
    });
    return text;
}

/* Of the OpenMP that libtorch itself is linked with, which need not be the system's. */
void *openmp_setter()
{
    Dl_info where{};
    if (!dladdr(reinterpret_cast<const void *>(&at::get_num_threads), &where) || !where.dli_fname)
        return nullptr;
    void *torch = dlopen(where.dli_fname, RTLD_NOW | RTLD_NOLOAD);
    return torch ? dlsym(torch, "omp_set_num_threads") : nullptr;
}

/* at::set_num_threads would reach the pools of others in this process. */
int set_threads(int threads) noexcept
{
    try {
        static void *const set = openmp_setter();
        (void)at::get_num_threads(); /* ATen sets a thread's count at its first use: before us */
        if (set)
            reinterpret_cast<void (*)(int)>(set)(threads);
        return set ? at::get_num_threads() : 0;
    } catch (...) {
        return 0;
    }
}

/* ---- runs ---- */

itx_run *begin(const itx_hooks *hooks) noexcept
{
    auto *run = new (std::nothrow) itx_run;
    if (!run)
        return nullptr;
    guarded(run, "device", [&] {
        run->device = at::Device(hooks->device ? hooks->device : "cpu");
        if (run->device.is_cuda() && !at::hasCUDA()) /* libtorch says so on a page of text */
            fail(run, ITEM_E_UNSUPPORTED,
                 "this libtorch has no CUDA, or finds no GPU: set device to cpu");
    });
    run->hooks = *hooks;
    return run;
}

void end(itx_run *run) noexcept
{
    Uncancellable whole;
    delete run;
}

int32_t status(const itx_run *run, const char **text) noexcept
{
    if (text)
        *text = run->text;
    return run->status;
}

size_t mark(const itx_run *run) noexcept
{
    return run->tensors.size();
}

void sweep(itx_run *run, size_t since, itx_tensor *const *keep, size_t count) noexcept
{
    Uncancellable whole;
    auto &all = run->tensors;
    size_t used = since;
    for (size_t i = since; i < all.size(); i++) {
        if (std::find(keep, keep + count, all[i].get()) != keep + count)
            std::swap(all[used++], all[i]);
    }
    all.resize(used);
}

itx_tensor *own(itx_run *run, itx_tensor *tensor) noexcept
{
    auto &all = run->tensors;
    auto it = std::find_if(all.begin(), all.end(), [&](auto &x) { return x.get() == tensor; });
    if (!tensor || it == all.end())
        return nullptr;
    it->release();
    all.erase(it);
    return tensor;
}

void release(itx_tensor *tensor) noexcept
{
    Uncancellable whole;
    delete tensor;
}

/* ---- in and out ---- */

/* Plain loops, because a conversion by libtorch would start a pool of threads in the caller. */
template <class T> void fill_weight(T *out, const float *data, const itx_shape *shape)
{
    const int64_t outer = shape->size[0], channels = shape->dims == 4 ? shape->size[1] : 1;
    int64_t area = 1;
    for (size_t i = shape->dims == 4 ? 2 : 1; i < shape->dims; i++)
        area *= shape->size[i];
    for (int64_t o = 0; o < outer; o++)
        for (int64_t p = 0; p < area; p++)
            for (int64_t c = 0; c < channels; c++)
                *out++ = static_cast<T>(data[(o * channels + c) * area + p]);
}

itx_tensor *weight(itx_run *run, const float *data, const itx_shape *shape, int32_t bf16) noexcept
{
    return make(run, "weight", [&] {
        const auto format =
            shape->dims == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
        at::Tensor t = at::empty(
            sizes(shape),
            at::device(at::kCPU).dtype(bf16 ? at::kBFloat16 : at::kFloat).memory_format(format));
        if (bf16)
            fill_weight(t.data_ptr<at::BFloat16>(), data, shape);
        else
            fill_weight(t.data_ptr<float>(), data, shape);
        return t.to(run->device);
    });
}

template <class T>
at::Tensor borrowed(const T *data, at::IntArrayRef shape, at::IntArrayRef strides)
{
    return at::from_blob(const_cast<T *>(data), shape, strides,
                         at::device(at::kCPU).dtype(c10::CppTypeToScalarType<T>::value));
}

template <class T> at::Tensor borrowed(const T *data, const itx_shape *shape)
{
    return at::from_blob(const_cast<T *>(data), sizes(shape),
                         at::device(at::kCPU).dtype(c10::CppTypeToScalarType<T>::value));
}

OP(lasting, (itx_run * run, const float *data, const itx_shape *shape),
   borrowed(data, shape).to(run->device))
OP(input, (itx_run * run, const float *data, const itx_shape *shape),
   borrowed(data, shape).to(run->device))
OP(indices, (itx_run * run, const int64_t *data, const itx_shape *shape),
   borrowed(data, shape).to(run->device))

OP(pictures, (itx_run * run, const float *data, const itx_shape *shape),
   borrowed(data, shape).permute({0, 3, 1, 2}).to(run->device))

void read(itx_run *run, itx_tensor *x, float *out, size_t count) noexcept
{
    guarded(run, "read", [&] {
        const at::Tensor t = f32(x).to(at::kCPU).contiguous();
        TORCH_CHECK(t.numel() == static_cast<int64_t>(count), "expected ", count, " numbers, got ",
                    t.numel());
        std::memcpy(out, t.data_ptr<float>(), count * sizeof(float));
        TORCH_CHECK(std::all_of(out, out + count, [](float v) { return v < INFINITY; }),
                    "the network's numbers are not finite");
    });
}

int64_t size(const itx_tensor *x, size_t dim) noexcept
{
    return x && static_cast<int64_t>(dim) < x->t.dim() ? x->t.sizes()[dim] : 0;
}

/* ---- operations ---- */

bool plain(const at::Tensor &t)
{
    return t.is_cpu() && t.scalar_type() == at::kFloat && t.is_contiguous();
}

/* An undefined tensor where it is not for oneDNN. */
at::Tensor by_onednn(const at::Tensor &x, const at::Tensor &w, const itx_tensor *b, itx_act act)
{
    if (!plain(w) || x.scalar_type() != at::kFloat || x.numel() == 0 || (b && !plain(b->t)))
        return {};
    auto shape = x.sizes().vec();
    shape.back() = w.size(0);
    const at::Tensor in = x.contiguous(), y = at::empty(shape, in.options());
    const itx_onednn_job job{in.data_ptr<float>(),
                             w.data_ptr<float>(),
                             b ? b->t.data_ptr<float>() : nullptr,
                             y.data_ptr<float>(),
                             in.numel() / w.size(1),
                             w.size(1),
                             w.size(0),
                             act};
    return x.size(-1) == w.size(1) && itx_onednn_linear(&job) ? y : at::Tensor();
}

itx_tensor *linear(itx_run *run, itx_tensor *x, itx_tensor *w, itx_tensor *b, itx_act act) noexcept
{
    return make(run, "linear", [&] {
        const at::Tensor fast = by_onednn(raw(x), raw(w), b, act);
        if (fast.defined())
            return fast;
        const auto kind = raw(w).scalar_type();
        at::Tensor y = at::linear(raw(x).to(kind), raw(w), b ? b->t : at::Tensor());
        return activated(y.to(at::kFloat), act);
    });
}

itx_tensor *conv(itx_run *run, itx_tensor *x, itx_tensor *w, itx_tensor *b,
                 const itx_conv_shape *s) noexcept
{
    return make(run, "conv", [&] {
        at::Tensor y = at::conv2d(raw(x).to(raw(w).scalar_type()), raw(w), b ? b->t : at::Tensor(),
                                  {s->stride, s->stride}, at::IntArrayRef({s->pad, s->pad}), {1, 1},
                                  s->groups);
        return activated(y, s->act);
    });
}

bool has_rows(const at::Tensor &t)
{
    return t.is_cpu() && t.scalar_type() == at::kFloat && t.dim() == 3 && t.stride(2) == 1;
}

itx_heads heads_of(const at::Tensor &t)
{
    return {t.data_ptr<float>(), t.stride(1), t.stride(0)};
}

/* An undefined tensor where it is not for oneDNN. */
at::Tensor attention_by_onednn(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v,
                               int64_t heads, const itx_tensor *mask)
{
    if (!has_rows(q) || !has_rows(k) || !has_rows(v) || (mask && !plain(mask->t)))
        return {};
    const at::Tensor y = at::empty(q.sizes(), q.options());
    const itx_attention_job job{heads_of(q),
                                heads_of(k),
                                heads_of(v),
                                mask ? mask->t.data_ptr<float>() : nullptr,
                                y.data_ptr<float>(),
                                q.size(0),
                                q.size(1),
                                k.size(1),
                                heads,
                                q.size(2) / heads};
    return itx_onednn_attention(&job) ? y : at::Tensor();
}

/* Numbers of scores that are held at a time: attention over thousands of places has a billion. */
constexpr int64_t SCORES = 1 << 22;

itx_tensor *attention(itx_run *run, itx_tensor *q, itx_tensor *k, itx_tensor *v, int64_t heads,
                      itx_tensor *mask) noexcept
{
    return make(run, "attention", [&] {
        const at::Tensor fast = attention_by_onednn(raw(q), raw(k), raw(v), heads, mask);
        if (fast.defined())
            return fast;
        const int64_t n = raw(q).size(0), a = raw(q).size(1), b = raw(k).size(1);
        const int64_t width = raw(q).size(2), each = width / heads;
        auto split = [&](const itx_tensor *x, int64_t length) {
            return f32(x).reshape({n, length, heads, each}).transpose(1, 2);
        };
        const at::Tensor all = split(q, a), keys = split(k, b).transpose(2, 3).contiguous();
        const at::Tensor values = split(v, b).contiguous();
        auto some = [&](int64_t from, int64_t to) {
            at::Tensor scores = at::matmul(all.slice(2, from, to), keys);
            scores.mul_(1.0 / std::sqrt(static_cast<double>(each)));
            if (mask)
                scores.add_(mask->t.slice(0, from, to));
            return at::matmul(at::softmax(scores, -1), values);
        };
        const int64_t rows = std::max<int64_t>(SCORES / std::max<int64_t>(n * heads * b, 1), 1);
        if (rows >= a)
            return some(0, a).transpose(1, 2).reshape({n, a, width});
        std::vector<at::Tensor> parts;
        for (int64_t from = 0; from < a; from += rows)
            parts.push_back(some(from, std::min(from + rows, a)));
        return at::cat(parts, 2).transpose(1, 2).reshape({n, a, width});
    });
}

OP(layer_norm, (itx_run * run, itx_tensor *x, itx_tensor *w, itx_tensor *b, double eps),
   at::layer_norm(f32(x).contiguous(), {raw(x).size(-1)}, raw(w), raw(b), eps))
OP(softmax, (itx_run * run, itx_tensor *x, int64_t dim), at::softmax(f32(x), dim))
OP(log_softmax, (itx_run * run, itx_tensor *x, int64_t dim), at::log_softmax(f32(x), dim))
OP(matmul, (itx_run * run, itx_tensor *a, itx_tensor *b), at::matmul(f32(a), f32(b)))
OP(add, (itx_run * run, itx_tensor *a, itx_tensor *b), at::Tensor(raw(a)).add_(raw(b)))
OP(multiply, (itx_run * run, itx_tensor *a, itx_tensor *b), f32(a).mul(f32(b)))
OP(scale, (itx_run * run, itx_tensor *x, double factor), f32(x).mul(factor))
OP(mean, (itx_run * run, itx_tensor *x, int64_t dim), f32(x).mean(dim))
OP(unit, (itx_run * run, itx_tensor *x, double eps), f32(x).div(f32(x).norm(2, -1, true).add_(eps)))
OP(reshape, (itx_run * run, itx_tensor *x, const itx_shape *shape), raw(x).reshape(sizes(shape)))
OP(transpose, (itx_run * run, itx_tensor *x, int64_t a, int64_t b), raw(x).transpose(a, b))
OP(slice, (itx_run * run, itx_tensor *x, int64_t dim, int64_t from, int64_t to),
   raw(x).slice(dim, from, to))
OP(rows, (itx_run * run, itx_tensor *x, itx_tensor *which), at::index_select(raw(x), 0, raw(which)))
OP(resize, (itx_run * run, itx_tensor *x, int64_t height, int64_t width),
   at::upsample_bilinear2d(f32(x), {height, width}, false))
OP(max_pool, (itx_run * run, itx_tensor *x, int64_t edge, int64_t stride, int64_t pad),
   at::max_pool2d(raw(x), {edge, edge}, {stride, stride}, {pad, pad}))

itx_tensor *cat(itx_run *run, itx_tensor *const *parts, size_t count, int64_t dim) noexcept
{
    return make(run, "cat", [&] {
        std::vector<at::Tensor> list;
        for (size_t i = 0; i < count; i++)
            list.push_back(raw(parts[i]));
        return at::cat(list, dim);
    });
}

const itx_ops table = {ITX_OPS_VERSION, TORCH_VERSION, describe,  set_threads, begin,   end,
                       status,          mark,          sweep,     own,         release, weight,
                       lasting,         input,         pictures,  indices,     read,    size,
                       linear,          conv,          attention, layer_norm,  softmax, log_softmax,
                       matmul,          add,           multiply,  scale,       mean,    unit,
                       reshape,         transpose,     slice,     cat,         rows,    resize,
                       max_pool};

} // namespace

extern "C" __attribute__((visibility("default"))) const itx_ops *itx_ops_entry(void);

extern "C" const itx_ops *itx_ops_entry(void)
{
    return &table;
}
