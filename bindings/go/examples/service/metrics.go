// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"libitem.invalid/go/item"
)

// metrics are what /metrics tells, in the text format of Prometheus.
type metrics struct {
	connections atomic.Int64

	mu       sync.Mutex
	codes    map[string]uint64
	verdicts map[string]uint64
	whole    histogram // of requests
	checking histogram // of the checks in them
}

func newMetrics() *metrics {
	return &metrics{codes: map[string]uint64{}, verdicts: map[string]uint64{}}
}

// bounds are the upper ends of the histograms, in seconds.
var bounds = [...]float64{0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30}

type histogram struct {
	within [len(bounds)]uint64
	count  uint64
	sum    float64
}

func (h *histogram) add(took time.Duration) {
	for i, bound := range bounds {
		if took.Seconds() <= bound {
			h.within[i]++
		}
	}
	h.count++
	h.sum += took.Seconds()
}

func (m *metrics) request(status int, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.codes[fmt.Sprint(status)]++
	m.whole.add(took)
}

func (m *metrics) check(took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.checking.add(took)
}

func (m *metrics) verdict(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.verdicts[name]++
}

// write tells everything, after it was copied: a slow reader holds no lock.
func (m *metrics) write(to io.Writer, requests, checks int) {
	var out strings.Builder
	m.mu.Lock()
	counters(&out, "item_requests_total", "Answered requests for a check, by HTTP status.", "code", m.codes)
	counters(&out, "item_verdicts_total", "Checked pictures, by verdict.", "verdict", m.verdicts)
	m.whole.write(&out, "item_request_seconds", "Time of a request: upload, waiting, check.")
	m.checking.write(&out, "item_check_seconds", "Time of a check.")
	m.mu.Unlock()
	gauge(&out, "item_requests_in_flight", "Uploads that are read, wait or run.", int64(requests))
	gauge(&out, "item_checks_in_flight", "Checks that run.", int64(checks))
	gauge(&out, "item_connections", "Open connections.", m.connections.Load())
	gauge(&out, "go_goroutines", "Goroutines.", int64(runtime.NumGoroutine()))
	gauge(&out, "process_resident_memory_bytes", "Resident memory.", resident())
	head(&out, "item_info", "What runs.", "gauge")
	fmt.Fprintf(&out, "item_info{version=%q} 1\n", item.Version())
	io.WriteString(to, out.String())
}

func head(out io.Writer, name, help, kind string) {
	fmt.Fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func gauge(out io.Writer, name, help string, value int64) {
	head(out, name, help, "gauge")
	fmt.Fprintf(out, "%s %d\n", name, value)
}

func counters(out io.Writer, name, help, label string, values map[string]uint64) {
	head(out, name, help, "counter")
	var keys []string
	for key := range values {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		fmt.Fprintf(out, "%s{%s=%q} %d\n", name, label, key, values[key])
	}
}

func (h *histogram) write(out io.Writer, name, help string) {
	head(out, name, help, "histogram")
	for i, bound := range bounds {
		fmt.Fprintf(out, "%s_bucket{le=\"%g\"} %d\n", name, bound, h.within[i])
	}
	fmt.Fprintf(out, "%s_bucket{le=\"+Inf\"} %d\n", name, h.count)
	fmt.Fprintf(out, "%s_sum %g\n%s_count %d\n", name, h.sum, name, h.count)
}

// resident is the memory that the process holds, in bytes; 0 where the system does not tell.
func resident() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	var whole, pages int64
	if err != nil {
		return 0
	}
	if _, err := fmt.Sscan(string(text), &whole, &pages); err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
