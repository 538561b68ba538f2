// SPDX-License-Identifier: Apache-2.0

package item

// #include "item_go.h"
import "C"

import (
	"encoding/json"
	"errors"
	"time"
	"unsafe"
)

// A Verdict is what a picture is taken for.
type Verdict int32

// The verdicts.
const (
	VerdictNone   Verdict = C.ITEM_VERDICT_NONE   // no head, or the picture failed
	VerdictReal   Verdict = C.ITEM_VERDICT_REAL   // a photograph, within the promised error
	VerdictUnsure Verdict = C.ITEM_VERDICT_UNSURE // not enough evidence for either
	VerdictAI     Verdict = C.ITEM_VERDICT_AI     // AI-generated, within the promised error
)

// String is the word of the JSON: "real", "unsure", "ai", "none".
func (v Verdict) String() string {
	switch v {
	case VerdictReal:
		return "real"
	case VerdictUnsure:
		return "unsure"
	case VerdictAI:
		return "ai"
	}
	return "none"
}

// A ReasonCode says what a verdict rests on.
type ReasonCode int32

// The reasons.
const (
	ReasonNone              ReasonCode = C.ITEM_REASON_NONE               // there is no verdict
	ReasonAboveThreshold    ReasonCode = C.ITEM_REASON_ABOVE_THRESHOLD    // ai
	ReasonBelowThreshold    ReasonCode = C.ITEM_REASON_BELOW_THRESHOLD    // real
	ReasonWeakEvidence      ReasonCode = C.ITEM_REASON_WEAK_EVIDENCE      // unsure: the score is between
	ReasonNoObjects         ReasonCode = C.ITEM_REASON_NO_OBJECTS         // unsure: the head needs objects
	ReasonCaptionUnreliable ReasonCode = C.ITEM_REASON_CAPTION_UNRELIABLE // unsure: empty, looping, improbable
	ReasonSize              ReasonCode = C.ITEM_REASON_SIZE               // unsure: outside of calibrated sizes
	ReasonOutOfScope        ReasonCode = C.ITEM_REASON_OUT_OF_SCOPE       // unsure: unlike what it was calibrated with
	ReasonSettings          ReasonCode = C.ITEM_REASON_SETTINGS           // unsure: other settings than calibrated with
)

// A Reason is why the verdict is what it is.
type Reason struct {
	Code ReasonCode
	Name string // such as "weak_evidence"
	Text string // one plain sentence
}

// A Threshold is what the score was compared with; NaN or infinite where there is none.
type Threshold struct {
	Name        string  // "fpr1", "fpr5" or a number
	Score       float64 // ai from here on
	RealBelow   float64 // real below
	PromisedFPR float64
}

// An Object is what the caption names, found in the picture.
type Object struct {
	Phrase       string
	PhraseIndex  int        // in the order of mention
	Box          [4]float64 // x0, y0, x1, y1 in pixels of the upright picture
	Score        float64    // the detector's, 0 to 1
	Similarity   float64    // cosine of crop and phrase
	Contribution float64    // change of the score when it is left out; NaN: does not exist

	CropVector, PhraseVector []float32 // with Vectors
}

// Timings are what the stages took; in a batch, this picture's share.
type Timings struct {
	Decode, Resize, Caption, Phrases, Detect, Embed, Judge, Total time.Duration
}

// A Result is what is known of one picture. Numbers that do not exist are NaN.
type Result struct {
	File string // its name; "" for a picture from memory
	Err  error  // of CheckBatch: why nothing is known; the rest is empty then

	Verdict     Verdict
	Reason      Reason
	Probability float64 // that the picture is AI-generated, with the context's prior
	Score       float64 // calibrated log-odds without a prior
	Threshold   Threshold

	Caption        string // that similarity and objects come from
	CaptionSource  string // "model" or "caller"
	ModelCaption   string // the captioner's own
	CaptionLogprob float64
	CaptionMargin  float64
	Similarity     float64 // cosine of picture and caption
	Contribution   float64 // change of the score when the whole picture's part is left out
	Objects        []Object
	Tokens         []int32 // of Context.Caption

	Width, Height int // of the upright picture, pixels
	Timings       Timings
	Warnings      []string
	Provenance    []Provenance

	Layout, Pack, Precision       string
	Captioner, Detector, Embedder string // identities
	Fingerprint                   string // SHA-256 over all that changes answers

	Features, ImageVector, TextVector []float32 // with Vectors

	JSON string // libitem's own line; "" where the picture was refused before libitem had it
}

// MarshalJSON gives libitem's JSON.
func (r Result) MarshalJSON() ([]byte, error) {
	if r.JSON != "" {
		return []byte(r.JSON), nil
	}
	return json.Marshal(struct {
		File  string `json:"file"`
		Error error  `json:"error"`
	}{r.File, r.Err})
}

// MarshalJSON gives code and message, as in the JSON of a result that failed.
func (e *Error) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}{e.Status.Error(), e.Message})
}

// failedResult is the result of a picture that could not be decoded.
func failedResult(err error) *Result {
	var known *Error
	if !errors.As(err, &known) {
		known = &Error{Status: ErrArgument, Message: err.Error(), cause: err}
	}
	return &Result{Err: known}
}

// newResult copies what libitem found: the copy is small beside what it took to find it.
func newResult(from *C.item_result, vectors bool) *Result {
	r := &Result{File: text(from, C.ITEM_TEXT_FILE), JSON: C.GoString(C.item_result_json(from))}
	e := C.itemgo_error()
	if status := C.item_result_status(from, &e); status != C.ITEM_OK {
		r.Err = failure(status, &e)
		return r
	}
	r.copyNumbers(from)
	r.copyTexts(from)
	if vectors {
		r.Features = values(from, C.ITEM_VALUES_FEATURES, 0)
		r.ImageVector = values(from, C.ITEM_VALUES_IMAGE_VECTOR, 0)
		r.TextVector = values(from, C.ITEM_VALUES_TEXT_VECTOR, 0)
		for i := range r.Objects {
			r.Objects[i].CropVector = values(from, C.ITEM_VALUES_CROP_VECTOR, i)
			r.Objects[i].PhraseVector = values(from, C.ITEM_VALUES_PHRASE_VECTOR, i)
		}
	}
	return r
}

func (r *Result) copyNumbers(from *C.item_result) {
	s, t := C.itemgo_result_summary(), C.itemgo_timings()
	C.item_result_get_summary(from, &s, nil) // fails for no struct that its header made
	C.item_result_get_timings(from, &t, nil)
	r.Verdict, r.Reason.Code = Verdict(s.verdict), ReasonCode(s.reason)
	r.Probability, r.Score = float64(s.probability), float64(s.score)
	r.Threshold = Threshold{Score: float64(s.threshold), RealBelow: float64(s.real_below),
		PromisedFPR: float64(s.promised_fpr)}
	r.CaptionLogprob, r.CaptionMargin = float64(s.caption_logprob), float64(s.caption_margin)
	r.Similarity, r.Contribution = float64(s.similarity), float64(s.contribution)
	r.Width, r.Height = int(s.width), int(s.height)
	r.Timings = Timings{Decode: duration(t.decode), Resize: duration(t.resize),
		Caption: duration(t.caption), Phrases: duration(t.phrases), Detect: duration(t.detect),
		Embed: duration(t.embed), Judge: duration(t.judge), Total: duration(t.total)}
	for i := C.uint32_t(0); i < s.objects; i++ {
		o := C.itemgo_object()
		C.item_result_get_object(from, i, &o, nil)
		object := Object{Phrase: C.GoString(o.phrase), PhraseIndex: int(o.phrase_index),
			Score: float64(o.score), Similarity: float64(o.similarity), Contribution: float64(o.contribution)}
		for j := range object.Box {
			object.Box[j] = float64(o.box[j])
		}
		r.Objects = append(r.Objects, object)
	}
	var n C.size_t
	if tokens := C.item_result_tokens(from, &n); tokens != nil {
		r.Tokens = append(r.Tokens, unsafe.Slice((*int32)(tokens), int(n))...)
	}
}

func (r *Result) copyTexts(from *C.item_result) {
	for which, to := range map[C.int32_t]*string{
		C.ITEM_TEXT_REASON:         &r.Reason.Name,
		C.ITEM_TEXT_REASON_LINE:    &r.Reason.Text,
		C.ITEM_TEXT_THRESHOLD:      &r.Threshold.Name,
		C.ITEM_TEXT_CAPTION:        &r.Caption,
		C.ITEM_TEXT_CAPTION_SOURCE: &r.CaptionSource,
		C.ITEM_TEXT_MODEL_CAPTION:  &r.ModelCaption,
		C.ITEM_TEXT_LAYOUT:         &r.Layout,
		C.ITEM_TEXT_PACK:           &r.Pack,
		C.ITEM_TEXT_PRECISION:      &r.Precision,
		C.ITEM_TEXT_CAPTIONER:      &r.Captioner,
		C.ITEM_TEXT_DETECTOR:       &r.Detector,
		C.ITEM_TEXT_EMBEDDER:       &r.Embedder,
		C.ITEM_TEXT_FINGERPRINT:    &r.Fingerprint,
	} {
		*to = text(from, which)
	}
	r.Provenance = provenanceOf(from)
	r.Warnings = lines(func(i C.uint32_t) *C.char { return C.item_result_warning(from, i) })
}

// lines are the texts of a list that ends with NULL.
func lines(at func(C.uint32_t) *C.char) (all []string) {
	for i := C.uint32_t(0); ; i++ {
		line := at(i)
		if line == nil {
			return all
		}
		all = append(all, C.GoString(line))
	}
}

func text(from *C.item_result, which C.int32_t) string {
	return C.GoString(C.item_result_text(from, which))
}

func values(from *C.item_result, which C.int32_t, index int) []float32 {
	var n C.size_t
	numbers := C.item_result_values(from, which, C.uint32_t(index), &n)
	if numbers == nil {
		return nil
	}
	return append([]float32(nil), unsafe.Slice((*float32)(numbers), int(n))...)
}

func duration(ms C.double) time.Duration {
	return time.Duration(float64(ms) * float64(time.Millisecond))
}
