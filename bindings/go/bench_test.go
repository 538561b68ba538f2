// SPDX-License-Identifier: Apache-2.0

package item

import (
	"sort"
	"syscall"
	"testing"
	"time"

	"libitem.invalid/go/item/internal/layout"
)

// What a check takes through this package, as a ratio to the same call of C in the same process, one
// after the other:
//
//	bindings/go/go.sh test -run ^$ -bench Overhead -benchtime 200x .
func BenchmarkOverhead(b *testing.B) {
	c, name := open(b), file("fish.jpg")
	plain, failed := layout.Open()
	if failed != "" {
		b.Fatal(failed)
	}
	defer plain.Close()
	byC := func() {
		if status, message := plain.CheckFile(string(name)); status != 0 {
			b.Fatal(message)
		}
	}
	byGo := func() { check(b, c, name) }
	byC()
	byGo() // the networks are open
	var cWall, goWall, cCPU, goCPU []float64
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		measure := func(run func(), wall, cpu *[]float64) {
			began, used := time.Now(), cpuTime(b)
			run()
			*wall = append(*wall, time.Since(began).Seconds())
			*cpu = append(*cpu, cpuTime(b)-used)
		}
		if i%2 == 0 { // neither is always the second
			measure(byC, &cWall, &cCPU)
			measure(byGo, &goWall, &goCPU)
		} else {
			measure(byGo, &goWall, &goCPU)
			measure(byC, &cWall, &cCPU)
		}
	}
	b.ReportMetric(median(goWall)/median(cWall), "wall-go/c")
	b.ReportMetric(median(goCPU)/median(cCPU), "cpu-go/c")
	b.ReportMetric(1000*median(cWall), "c-ms")
}

// What comes atop of the library's own work: a picture that is refused at once.
func BenchmarkRefused(b *testing.B) {
	c := open(b)
	for i := 0; i < b.N; i++ {
		if _, err := c.Check(background, Bytes("no picture")); err == nil {
			b.Fatal("no error")
		}
	}
}

// cpuTime is what all threads of the process have used, in seconds.
func cpuTime(b *testing.B) float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return float64(used.Utime.Sec+used.Stime.Sec) + float64(used.Utime.Usec+used.Stime.Usec)/1e6
}

func median(of []float64) float64 {
	sort.Float64s(of)
	return of[len(of)/2]
}
