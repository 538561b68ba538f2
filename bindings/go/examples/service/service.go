// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log"
	"mime"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"libitem.invalid/go/item"
)

// limits bound what strangers can make the service do.
type limits struct {
	bytes       int64         // of an upload
	requests    int           // that are read, wait or run at once; each may hold bytes
	checks      int           // that run at once
	connections int           // that are open at once
	header      time.Duration // to send a request's head
	upload      time.Duration // to send all of a request
	wait        time.Duration // for a check to begin
	answer      time.Duration // for all of a request: reading, waiting, checking, writing
	idle        time.Duration // of a connection between requests
}

var defaults = limits{
	bytes: 32 << 20, requests: 32, checks: 2, connections: 512,
	header: 5 * time.Second, upload: 30 * time.Second, wait: 30 * time.Second,
	answer: 2 * time.Minute, idle: time.Minute,
}

func (l *limits) flags(set *flag.FlagSet) {
	set.Int64Var(&l.bytes, "max-bytes", l.bytes, "of an upload")
	set.IntVar(&l.requests, "requests", l.requests, "uploads that are read, wait or run at once; others get 503")
	set.IntVar(&l.checks, "checks", l.checks, "checks that run at once")
	set.IntVar(&l.connections, "connections", l.connections, "that are open at once; others are closed")
	set.DurationVar(&l.header, "header-time", l.header, "for the head of a request")
	set.DurationVar(&l.upload, "upload-time", l.upload, "for all of a request; then 408")
	set.DurationVar(&l.wait, "wait-time", l.wait, "for a check to begin; then 503")
	set.DurationVar(&l.answer, "answer-time", l.answer, "for all of a request and its answer")
	set.DurationVar(&l.idle, "idle-time", l.idle, "of a connection between requests")
}

// check refuses limits that would let nothing pass, or anything: 0 means no limit to net/http.
func (l *limits) check() error {
	const most = 1 << 40 // bytes; libitem takes no limit above 2^53
	if l.bytes < 1 || l.bytes > most || l.requests < 1 || l.checks < 1 || l.connections < 1 {
		return errors.New("limits must be 1 or more, and max-bytes no more than 1 TiB")
	}
	for _, limit := range []time.Duration{l.header, l.upload, l.wait, l.answer, l.idle} {
		if limit <= 0 {
			return errors.New("times must be above 0")
		}
	}
	return nil
}

// A checker is an item.Context.
type checker interface {
	Check(context.Context, item.Input, ...item.CheckOption) (*item.Result, error)
}

type service struct {
	checker  checker
	limits   limits
	requests chan struct{} // a place for each upload
	checks   chan struct{} // a place for each check
	stopping atomic.Bool
	metrics  *metrics
}

func newService(c checker, l limits) *service {
	return &service{checker: c, limits: l, metrics: newMetrics(),
		requests: make(chan struct{}, l.requests), checks: make(chan struct{}, l.checks)}
}

func (s *service) server() *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/check", s.serveCheck)
	mux.HandleFunc("/healthz", s.serveHealth)
	mux.HandleFunc("/metrics", s.serveMetrics)
	return &http.Server{
		Handler: mux, ConnState: s.connection, MaxHeaderBytes: 16 << 10,
		ReadHeaderTimeout: s.limits.header, ReadTimeout: s.limits.upload,
		WriteTimeout: s.limits.answer + 10*time.Second, IdleTimeout: s.limits.idle,
	}
}

// connection counts connections, and closes what is beyond the limit.
func (s *service) connection(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if s.metrics.connections.Add(1) > int64(s.limits.connections) {
			c.Close() // its end is counted when the server reads from it
		}
	case http.StateClosed, http.StateHijacked:
		s.metrics.connections.Add(-1)
	}
}

func (s *service) serveHealth(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if s.stopping.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, "stopping\n")
		return
	}
	io.WriteString(w, "ok\n")
}

func (s *service) serveMetrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	s.metrics.write(w, len(s.requests), len(s.checks))
}

// A refusal is an answer that is no result.
type refusal struct {
	status  int
	code    string
	message string
}

func (r *refusal) Error() string { return r.message }

func (s *service) serveCheck(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	result, err := s.answer(w, r)
	status := http.StatusOK
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		refused := s.refusalOf(err)
		status = refused.status
		s.refuse(w, refused)
	} else {
		io.WriteString(w, result.JSON+"\n") // as libitem made it
		s.metrics.verdict(result.Verdict.String())
	}
	s.metrics.request(status, time.Since(start))
}

func (s *service) refuse(w http.ResponseWriter, refused *refusal) {
	if refused.status >= 500 && refused.status != http.StatusServiceUnavailable {
		log.Print(refused)
	}
	if refused.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	if refused.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	w.WriteHeader(refused.status)
	type reason struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	json.NewEncoder(w).Encode(map[string]reason{"error": {refused.code, refused.message}})
}

// answer reads the picture, waits for its turn and checks it.
func (s *service) answer(w http.ResponseWriter, r *http.Request) (*item.Result, error) {
	if r.Method != http.MethodPost {
		return nil, &refusal{http.StatusMethodNotAllowed, "method", "send the picture by POST"}
	}
	if r.ContentLength > s.limits.bytes { // before a byte of it is read
		w.Header().Set("Connection", "close")
		return nil, &refusal{http.StatusRequestEntityTooLarge, item.ErrLimit.Error(), "the upload is too large"}
	}
	select {
	case s.requests <- struct{}{}:
		defer func() { <-s.requests }()
	default:
		return nil, &refusal{http.StatusServiceUnavailable, "busy", "too many uploads at once"}
	}
	// The whole upload is read before a check begins, so that a slow one keeps none from running.
	r.Body = http.MaxBytesReader(w, r.Body, s.limits.bytes)
	picture, err := readPicture(r)
	if err != nil {
		return nil, err
	}
	return s.check(r.Context(), picture)
}

// check waits for a place and checks.
func (s *service) check(ctx context.Context, picture []byte) (*item.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, s.limits.answer)
	defer cancel()
	turn := time.NewTimer(s.limits.wait)
	defer turn.Stop()
	select {
	case s.checks <- struct{}{}:
		defer func() { <-s.checks }()
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-turn.C:
		return nil, &refusal{http.StatusServiceUnavailable, "busy", "no check could begin in time"}
	}
	start := time.Now()
	defer func() { s.metrics.check(time.Since(start)) }()
	return s.checker.Check(ctx, item.Bytes(picture))
}

// readPicture gives the body, or of a form the part called picture. It reads to the end: the server
// sees from then on when the client goes away.
func readPicture(r *http.Request) ([]byte, error) {
	from := io.Reader(r.Body)
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "multipart/form-data" {
		form, err := r.MultipartReader()
		if err != nil {
			return nil, &refusal{http.StatusBadRequest, "form", err.Error()}
		}
		for {
			part, err := form.NextPart()
			if err == io.EOF {
				return nil, &refusal{http.StatusBadRequest, "form", "the form has no part called picture"}
			}
			if err != nil {
				return nil, uploadError(err)
			}
			if part.FormName() == "picture" {
				from = part
				break
			}
		}
	}
	var picture bytes.Buffer
	if _, err := picture.ReadFrom(from); err != nil {
		return nil, uploadError(err)
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, uploadError(err)
	}
	return picture.Bytes(), nil
}

func uploadError(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return &refusal{http.StatusRequestEntityTooLarge, item.ErrLimit.Error(), "the upload is too large"}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &refusal{http.StatusRequestTimeout, "slow", "the upload took too long"}
	}
	return &refusal{http.StatusBadRequest, "upload", "the upload is broken: " + err.Error()}
}

// statusGone is what is counted where the client went away; nobody receives it.
const statusGone = 499

// refusalOf says what an error is to a client.
func (s *service) refusalOf(err error) *refusal {
	var known *refusal
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, context.Canceled) && s.stopping.Load():
		return &refusal{http.StatusServiceUnavailable, "stopping", "the service stops"}
	case errors.Is(err, context.DeadlineExceeded):
		return &refusal{http.StatusServiceUnavailable, "busy", "the check took too long"}
	case errors.Is(err, context.Canceled):
		return &refusal{statusGone, item.ErrCancelled.Error(), "cancelled"}
	}
	status := http.StatusInternalServerError
	code := item.ErrInternal
	var failed *item.Error
	if errors.As(err, &failed) {
		code = failed.Status
	}
	switch code {
	case item.ErrFormat:
		status = http.StatusUnprocessableEntity
	case item.ErrUnsupported:
		status = http.StatusUnsupportedMediaType
	case item.ErrLimit:
		status = http.StatusRequestEntityTooLarge
	}
	return &refusal{status, code.Error(), err.Error()}
}
