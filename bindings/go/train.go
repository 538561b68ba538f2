// SPDX-License-Identifier: Apache-2.0

package item

// #include "item_go.h"
import "C"

import (
	"context"
	"math"
	"runtime"
	"sync"
)

// A Dataset is pictures as unit vectors, with label and source, for training and evaluating heads.
// Any number of goroutines may use it.
type Dataset struct {
	mu  sync.RWMutex // for writing: Close
	ptr *C.item_dataset

	Rows, AI, Real, Sources, Failed int
	Warnings                        []string // why pictures were left out
	Notices                         []string // copies, sources in several splits
}

// ExtractOptions are settings of Extract.
type ExtractOptions struct {
	Split       string // rows of this split only; "": all
	MaxFailures int    // pictures that may fail before the call does; 0: 100
	Progress    func(done, total uint64)
}

// Extract makes a data set of the pictures that a manifest (a CSV file, or a folder with ai/ and
// real/ in it) names: docs/train-your-own.md tells how.
func (c *Context) Extract(ctx context.Context, manifest string, options ExtractOptions) (*Dataset, error) {
	if err := checkTexts("a name", []string{manifest, options.Split}); err != nil {
		return nil, err
	}
	k, err := c.begin(ctx, []CheckOption{Progress(options.Progress)})
	if err != nil {
		return nil, err
	}
	defer k.end()
	how := C.itemgo_extract_options()
	how.split, how.cancel = k.optional(options.Split), k.cancel
	how.progress, how.progress_user = k.options.progress, k.options.progress_user
	if options.MaxFailures > 0 {
		how.max_failures = bounded(options.MaxFailures)
	}
	var out *C.item_dataset
	e := C.itemgo_error()
	status := C.item_dataset_extract(k.ptr, k.text(manifest), &how, &out, &e)
	if err := k.err(status, &e); err != nil {
		return nil, err
	}
	return newDataset(out), nil
}

// bounded keeps a large number large: cut to 32 bits it might be 0.
func bounded(n int) C.uint32_t {
	if n > math.MaxUint32 {
		return math.MaxUint32
	}
	return C.uint32_t(n)
}

// LoadDataset reads a data set that Save, or the program item, wrote.
func LoadDataset(path string) (*Dataset, error) {
	if err := checkText("a file's name", path); err != nil {
		return nil, err
	}
	var m memory
	defer m.free()
	var out *C.item_dataset
	e := C.itemgo_error()
	if status := C.item_dataset_load(m.text(path), &out, &e); status != C.ITEM_OK {
		return nil, failure(status, &e)
	}
	return newDataset(out), nil
}

func newDataset(ptr *C.item_dataset) *Dataset {
	facts := C.itemgo_dataset_info()
	C.item_dataset_get_info(ptr, &facts, nil)
	d := &Dataset{ptr: ptr, Rows: int(facts.rows), AI: int(facts.ai), Real: int(facts.real),
		Sources: int(facts.sources), Failed: int(facts.failed)}
	d.Warnings = lines(func(i C.uint32_t) *C.char { return C.item_dataset_warning(ptr, i) })
	d.Notices = lines(func(i C.uint32_t) *C.char { return C.item_dataset_notice(ptr, i) })
	runtime.SetFinalizer(d, func(d *Dataset) { d.Close() })
	return d
}

// use runs a call while the data set is kept open.
func (d *Dataset) use(run func(*C.item_dataset, *C.item_error) (C.item_status, error)) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.ptr == nil {
		return ErrClosed
	}
	e := C.itemgo_error()
	status, err := run(d.ptr, &e)
	if err == nil && status != C.ITEM_OK {
		err = failure(status, &e)
	}
	return err
}

// Save writes the data set; the file appears whole or not at all.
func (d *Dataset) Save(path string) error {
	return d.use(func(ptr *C.item_dataset, e *C.item_error) (C.item_status, error) {
		if err := checkText("a file's name", path); err != nil {
			return 0, err
		}
		var m memory
		defer m.free()
		return C.item_dataset_save(ptr, m.text(path), e), nil
	})
}

// Close frees the data set, once the calls that use it have ended. It returns nil.
func (d *Dataset) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	C.item_dataset_free(d.ptr)
	d.ptr = nil
	runtime.SetFinalizer(d, nil)
	return nil
}

// TrainOptions are settings of Train; what is 0 or "" is libitem's default, as <item/train.h> has it.
type TrainOptions struct {
	Candidates    []string // heads to choose from, such as "difference/both/1 64,16"
	TrainedOn     string   // a text for the head: what data, which licence
	ThresholdRule string   // "pooled" or "worst-source"
	Epochs, Folds int      // at most
	Draws         int      // of the bootstrap
	Penalty       float64  // of a head without hidden layers
	Seed          uint64
	NoControls    bool // do not also train on what should tell nothing
	Progress      func(done, total uint64)
}

// Train trains and calibrates a head on a data set with both labels. The Report holds the head.
func Train(ctx context.Context, data *Dataset, options TrainOptions) (*Report, error) {
	texts := append([]string{options.TrainedOn, options.ThresholdRule}, options.Candidates...)
	if err := checkTexts("a setting", texts); err != nil {
		return nil, err
	}
	return report(ctx, data, options.Progress,
		func(k *call, ptr *C.item_dataset, out **C.item_report, e *C.item_error) C.item_status {
			how := k.trainOptions(options)
			return C.item_train(ptr, &how, out, e)
		})
}

func (k *call) trainOptions(options TrainOptions) C.item_train_options {
	how := C.itemgo_train_options()
	how.cancel = k.cancel
	how.progress, how.progress_user = k.options.progress, k.options.progress_user
	how.candidates = k.texts(options.Candidates, k.text)
	how.candidate_count = C.uint32_t(len(options.Candidates))
	how.trained_on = k.optional(options.TrainedOn)
	how.threshold_rule = k.optional(options.ThresholdRule)
	for to, value := range map[*C.uint32_t]int{&how.epochs: options.Epochs, &how.folds: options.Folds,
		&how.draws: options.Draws} {
		if value > 0 {
			*to = bounded(value)
		}
	}
	if options.Penalty > 0 {
		how.penalty = C.double(options.Penalty)
	}
	if options.Seed > 0 {
		how.seed = C.uint64_t(options.Seed)
	}
	if options.NoControls {
		how.controls = 0
	}
	return how
}

// EvaluateOptions are settings of Evaluate; what is 0 or "" is libitem's default.
type EvaluateOptions struct {
	Head      string   // file of a head; "": the context's
	Threshold string   // "fpr1", "fpr5" or a number
	Rivals    []string // files of heads to compare
	Draws     int
	Seed      uint64
}

// Evaluate judges a head on pictures that it was not trained on. The Context may be nil where
// options name a head.
func Evaluate(ctx context.Context, data *Dataset, c *Context, options EvaluateOptions) (*Report, error) {
	texts := append([]string{options.Head, options.Threshold}, options.Rivals...)
	if err := checkTexts("a setting", texts); err != nil {
		return nil, err
	}
	var with *C.item_ctx
	if c != nil {
		var err error
		if with, err = c.acquire(); err != nil {
			return nil, err
		}
		defer c.release()
	}
	return report(ctx, data, nil,
		func(k *call, ptr *C.item_dataset, out **C.item_report, e *C.item_error) C.item_status {
			how := C.itemgo_eval_options()
			how.cancel, how.threshold = k.cancel, k.optional(options.Threshold)
			how.rivals = k.texts(options.Rivals, k.text)
			how.rival_count = C.uint32_t(len(options.Rivals))
			if options.Draws > 0 {
				how.draws = bounded(options.Draws)
			}
			if options.Seed > 0 {
				how.seed = C.uint64_t(options.Seed)
			}
			return C.item_evaluate(ptr, k.optional(options.Head), with, &how, out, e)
		})
}

// A Report is what a training or an evaluation found.
type Report struct {
	mu  sync.RWMutex // for writing: Close
	ptr *C.item_report

	JSON, Markdown, HTML string
}

// report runs a call on a data set that gives a report.
func report(ctx context.Context, data *Dataset, tell func(done, total uint64),
	run func(*call, *C.item_dataset, **C.item_report, *C.item_error) C.item_status) (*Report, error) {
	k, err := without(ctx, tell)
	if err != nil {
		return nil, err
	}
	defer k.end()
	var out *C.item_report
	err = data.use(func(ptr *C.item_dataset, e *C.item_error) (C.item_status, error) {
		return 0, k.err(run(k, ptr, &out, e), e)
	})
	if err != nil {
		return nil, err
	}
	r := &Report{ptr: out, JSON: C.GoString(C.item_report_json(out)),
		Markdown: C.GoString(C.item_report_markdown(out)), HTML: C.GoString(C.item_report_html(out))}
	runtime.SetFinalizer(r, func(r *Report) { r.Close() })
	return r, nil
}

// Number is one of the report, by the keys of its JSON joined by dots, such as "headline.auc"; NaN
// where there is none, and after Close.
func (r *Report) Number(path string) float64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.ptr == nil || checkText("a path", path) != nil {
		return math.NaN()
	}
	var m memory
	defer m.free()
	return float64(C.item_report_number(r.ptr, m.text(path)))
}

// WriteHead writes the head that Train made; the file appears whole or not at all.
func (r *Report) WriteHead(path string) error {
	if err := checkText("a file's name", path); err != nil {
		return err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.ptr == nil {
		return ErrClosed
	}
	var m memory
	defer m.free()
	e := C.itemgo_error()
	if status := C.item_report_write_head(r.ptr, m.text(path), &e); status != C.ITEM_OK {
		return failure(status, &e)
	}
	return nil
}

// Close frees the report; its texts stay. It returns nil.
func (r *Report) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	C.item_report_free(r.ptr)
	r.ptr = nil
	runtime.SetFinalizer(r, nil)
	return nil
}
